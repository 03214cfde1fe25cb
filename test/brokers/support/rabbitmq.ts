import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "./ports.js";

/** Debian's; its commands in /usr/sbin change to a user of the system's and so can't have a folder of their own. */
const BIN = "/usr/lib/rabbitmq/bin";

/** For what never comes, in milliseconds. */
const LIMIT_MS = 180_000;

const run = promisify(execFile);

/** Whether the server is here. With `REQUIRE_SERVERS=1` it has to be. */
export function hasRabbitMQ(): boolean {
  if (existsSync(join(BIN, "rabbitmq-server"))) return true;
  if (process.env.REQUIRE_SERVERS === "1") throw new Error(`there is no rabbitmq-server in ${BIN}`);
  return false;
}

/** A RabbitMQ of this test's own: free ports of the loopback interface, a folder in the temporary one, management included. */
export class RabbitServer {
  private readonly folder = mkdtempSync(join(tmpdir(), "queuescope-rabbitmq-"));
  private broker: ChildProcess | undefined = undefined;
  private epmd: ChildProcess | undefined = undefined;
  private output = "";

  private constructor(
    readonly port: number,
    readonly managementPort: number,
    private readonly distPort: number,
    private readonly epmdPort: number,
  ) {
    const file = (name: string, ...lines: string[]) =>
      writeFileSync(join(this.folder, name), `${lines.join("\n")}\n`);
    file(
      "rabbitmq.conf",
      `listeners.tcp.local = 127.0.0.1:${port}`,
      "management.tcp.ip = 127.0.0.1",
      `management.tcp.port = ${managementPort}`,
      // What management tells is as old as this at most, in milliseconds; 5,000 by default.
      "collect_statistics_interval = 500",
      "log.file.level = warning",
      // How little disk is free is not what is tested.
      "disk_free_limit.absolute = 1MB",
    );
    file("enabled_plugins", "[rabbitmq_management].");
    file("rabbitmq-env.conf", "");
  }

  /** Resolves when it takes connections. */
  static async start(): Promise<RabbitServer> {
    const [port, managementPort, distPort, epmdPort] = await freePorts(4);
    const server = new RabbitServer(port!, managementPort!, distPort!, epmdPort!);
    try {
      await server.startEpmd();
      await server.start();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.port}`;
  }

  get management(): { readonly url: string; readonly user: string; readonly password: string } {
    return { url: `http://127.0.0.1:${this.managementPort}`, user: "guest", password: "guest" };
  }

  /** Starts it, again if need be, with what it had written to its folder. */
  async start(): Promise<void> {
    this.output = "";
    // Under systemd it has no shell around it: the process is the broker itself.
    const env = { ...this.env, RUNNING_UNDER_SYSTEMD: "true" };
    const broker = spawn(join(BIN, "rabbitmq-server"), {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      cwd: this.folder,
    });
    this.broker = broker;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`RabbitMQ ${why}:\n${this.output.slice(-4_000)}`));
      const limit = setTimeout(() => fail("has not started in time"), LIMIT_MS);
      const hear = (chunk: Buffer) => {
        this.output += chunk;
        if (!/completed with \d+ plugins/.test(this.output)) return;
        clearTimeout(limit);
        resolve();
      };
      broker.stdout!.on("data", hear);
      broker.stderr!.on("data", hear);
      broker.once("exit", (code, signal) => {
        clearTimeout(limit);
        fail(`has ended with ${signal ?? code}`);
      });
    });
  }

  /** As a crash does: without a word to anyone. */
  async kill(): Promise<void> {
    await end(this.broker, "SIGKILL");
  }

  /** It holds its connections, and answers nothing. */
  freeze(): void {
    this.broker?.kill("SIGSTOP");
  }

  thaw(): void {
    this.broker?.kill("SIGCONT");
  }

  /** Ends it, and removes its folder. */
  async stop(): Promise<void> {
    await end(this.broker, "SIGKILL");
    await end(this.epmd, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** `rabbitmqctl` with these arguments; gives what it prints. */
  async control(...args: string[]): Promise<string> {
    const { stdout } = await run(join(BIN, "rabbitmqctl"), ["-q", ...args], {
      env: this.env,
      cwd: this.folder,
    });
    return stdout;
  }

  /** From now on it takes no messages, as it says that it has too little memory. */
  async raiseMemoryAlarm(): Promise<void> {
    await this.control("set_vm_memory_high_watermark", "0.00001");
  }

  async endMemoryAlarm(): Promise<void> {
    await this.control("set_vm_memory_high_watermark", "0.6");
  }

  /** A request to the management API; gives the answer's body. */
  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const { url, user, password } = this.management;
    const response = await fetch(`${url}/api${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
        "content-type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Cuts the connection that a client has given this name, as `connection_name` in its client properties. Waits until the broker knows of it. */
  async cut(connectionName: string): Promise<void> {
    const limit = Date.now() + LIMIT_MS;
    for (;;) {
      const all = (await this.ask("GET", "/connections")) as {
        name: string;
        client_properties?: { connection_name?: string };
      }[];
      const one = all.find(({ client_properties: its }) => its?.connection_name === connectionName);
      if (one !== undefined) {
        await this.ask("DELETE", `/connections/${encodeURIComponent(one.name)}`);
        return;
      }
      if (Date.now() > limit) throw new Error(`RabbitMQ knows of no connection "${connectionName}"`);
    }
  }

  private get env(): NodeJS.ProcessEnv {
    const at = (name: string) => join(this.folder, name);
    return {
      PATH: process.env.PATH,
      LANG: "C.UTF-8",
      HOME: this.folder,
      ERL_EPMD_PORT: String(this.epmdPort),
      ERL_EPMD_ADDRESS: "127.0.0.1",
      RABBITMQ_NODENAME: `queuescope${this.port}@localhost`,
      RABBITMQ_CONF_ENV_FILE: at("rabbitmq-env.conf"),
      RABBITMQ_CONFIG_FILE: at("rabbitmq.conf"),
      RABBITMQ_ENABLED_PLUGINS_FILE: at("enabled_plugins"),
      RABBITMQ_MNESIA_BASE: at("data"),
      RABBITMQ_LOG_BASE: at("log"),
      RABBITMQ_PID_FILE: at("pid"),
      RABBITMQ_GENERATED_CONFIG_DIR: at("generated"),
      RABBITMQ_SCHEMA_DIR: at("schema"),
      RABBITMQ_NODE_PORT: String(this.port),
      RABBITMQ_DIST_PORT: String(this.distPort),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
    };
  }

  private async startEpmd(): Promise<void> {
    const args = ["-port", String(this.epmdPort), "-address", "127.0.0.1", "-d"];
    const epmd = spawn("epmd", args, { stdio: ["ignore", "ignore", "pipe"] });
    this.epmd = epmd;
    await new Promise<void>((resolve, reject) => {
      epmd.once("error", reject);
      epmd.once("exit", (code) => reject(new Error(`epmd has ended with ${code}`)));
      epmd.stderr!.on("data", (chunk: Buffer) => {
        if (String(chunk).includes("running")) resolve();
      });
    });
  }
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}
