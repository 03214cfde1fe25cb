import { type ChildProcess, execFile, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findProgram } from "../../scripts/stack/find-program.js";
import type { Hello, Snapshot } from "../../src/inspector/protocol.js";
import { ask, json } from "../inspector/client.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CLI = join(ROOT, "dist/cli.js");

let folder: string;
const children = new Set<ChildProcess>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "qs-"));
});

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
  rmSync(folder, { recursive: true, force: true });
});

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_OPTIONS: "", QUEUESCOPE_DIR: join(folder, "s"), OTEL_SERVICE_NAME: "shop" };
}

/** A process that can be looked into, as its queues are late. */
async function shop(env: NodeJS.ProcessEnv = { QUEUESCOPE_INSPECT: "1" }): Promise<ChildProcess> {
  const child = fork(join(ROOT, "test/cli/targets/shop.mjs"), {
    execArgv: [],
    env: { ...environment(), ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  children.add(child);
  await once(child, "message");
  return child;
}

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { env: environment() }, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
  });
}

/** A command that goes on, once it has said that it does. */
async function serving(...args: string[]): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  const [said] = await Promise.race([once(child.stdout!, "data"), once(child.stderr!, "data")]);
  return { child, said: String(said) };
}

describe("queuescope ps", () => {
  it("lists the queues of all processes, worst first, and why they are late", async () => {
    const shops = [await shop(), await shop()];
    const { code, out } = await run("ps");
    expect(code).toBe(0);
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^STATE +QUEUE +PID +PROCESS/);
    expect(lines[1]).toMatch(/^BREACH +orders\\u001b\[2J +\d+ +shop/);
    expect(lines[2]).toContain("has waited");
    for (const { pid } of shops) expect(out).toMatch(new RegExp(`^idle +mails +${pid} +shop`, "m"));
    expect(out).not.toContain("\u001b");
    const [first] = shops;
    const one = JSON.parse((await run("ps", String(first!.pid), "--json")).out) as Snapshot;
    expect(one.processes.map(({ pid }) => pid)).toEqual([first!.pid]);
    expect(one.queues.find(({ name }) => name === "mails")!.totals).toMatchObject({
      enqueued: 1,
      succeeded: 1,
    });
    expect((await run("ps", "--check")).code).toBe(8);
  });

  it("says what to do where no process can be looked into", async () => {
    const child = await shop({ QUEUESCOPE_INSPECT: "" });
    const { code, out, err } = await run("ps");
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toMatch(/Start one with QUEUESCOPE_INSPECT=1, or call inspect\(\)/);
    expect(existsSync(join(folder, "s"))).toBe(false);
    child.kill();
  });

  it("names those that can be looked into where another one is asked for", async () => {
    const { pid } = await shop();
    const { code, err } = await run("ps", "1");
    expect(code).toBe(3);
    expect(err).toContain(`${pid} (shop)`);
  });

  it("doesn't show a process that was killed, and takes its socket away", async () => {
    const [gone, there] = [await shop(), await shop()];
    gone.kill("SIGKILL");
    await once(gone, "exit");
    const { processes } = JSON.parse((await run("ps", "--json")).out) as Snapshot;
    expect(processes.map(({ pid }) => pid)).toEqual([there.pid]);
    there.disconnect();
    await once(there, "exit");
    // One that ends by itself takes it along.
    expect(readdirSync(join(folder, "s")).filter((name) => name.startsWith(`${there.pid}-`))).toEqual([]);
  });
});

describe("queuescope report", () => {
  it("prints a report on each queue, as text and as JSON", async () => {
    const { pid } = await shop();
    const { code, out } = await run("report", String(pid));
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^PROCESS ${pid} shop\\nBREACH queue=orders`));
    expect(out).toContain("NEXT order-1");
    const reports = JSON.parse((await run("report", "--json", "--queue", "mails")).out);
    expect(reports).toMatchObject([{ version: 1, queue: "mails", depth: 0 }]);
    expect((await run("report", "--queue", "none")).code).toBe(3);
  });
});

describe("queuescope top", () => {
  it("prints plain lines where the output is no terminal", async () => {
    await shop();
    const { code, out } = await run("top", "--once");
    expect(code).toBe(0);
    expect(out).toMatch(/^TIME +STATE +QUEUE/);
    expect(out).toMatch(/^\d{4}-\d\d-\d\dT\S+Z +BREACH +orders/m);
    expect(out).not.toContain("\u001b");
    const { child, said } = await serving("top", "--json");
    expect((JSON.parse(said) as Snapshot).queues).toHaveLength(2);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it.skipIf(findProgram("tmux") === undefined)("is live on a terminal, by keys", async () => {
    await shop();
    const server = `qs-${process.pid}`;
    const tmux = (...args: string[]) =>
      spawnSync("tmux", ["-L", server, ...args], { env: environment(), encoding: "utf8" }).stdout;
    const until = async (text: string) => {
      for (;;) {
        const screen = tmux("capture-pane", "-p");
        if (screen.includes(text)) return screen;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    try {
      tmux(
        "-f",
        "/dev/null",
        "new-session",
        "-d",
        "-x",
        "140",
        "-y",
        "20",
        `${process.execPath} ${CLI} top; echo "it is over"; cat`,
      );
      expect(await until("mails")).toMatch(/1 process, 2 queues, 1 late[\s\S]*BREACH +orders/);
      tmux("send-keys", "Enter");
      expect(await until("order-1")).toContain("TIERS");
      tmux("send-keys", "Escape");
      await until("SLA BAR");
      tmux("send-keys", "/", "m", "a", "i", "Enter");
      expect(await until("/mai")).not.toContain("BREACH");
      tmux("send-keys", "?");
      await until("any key goes back");
      tmux("send-keys", "x", "q");
      await until("it is over");
    } finally {
      tmux("kill-server");
    }
  });
});

describe("queuescope open", () => {
  it("serves the live view of all processes, and goes on when they come and go", async () => {
    const { child, said } = await serving("open", "--no-browser", "--port", "0", "--json");
    const { url } = JSON.parse(said) as { url: string };
    const target = { port: Number(new URL(url).port) };
    expect((await json<Hello>(target, "/api/v1/hello")).processes).toEqual([]);
    const [first, second] = [await shop(), await shop()];
    const { processes } = await json<Hello>(target, "/api/v1/hello");
    expect(processes.map(({ pid }) => pid).sort()).toEqual([first.pid, second.pid].sort());
    const required = await ask(target, "/api/v1/queue?queue=mails");
    expect(required.status).toBe(422);
    expect((await ask(target, `/api/v1/queue?queue=mails&process=${first.pid}`)).status).toBe(200);
    expect((await ask(target, "/metrics")).text).toMatch(
      /^queue_enqueued_total\{queue_name="mails",.*\} 2$/m,
    );
    first.kill("SIGKILL");
    await once(first, "exit");
    const { queues } = await json<Snapshot>(target, "/api/v1/snapshot");
    expect(new Set(queues.map((row) => row.process.split("-")[0]))).toEqual(new Set([String(second.pid)]));
    expect((await ask(target, "/metrics")).text).toMatch(
      /^queue_enqueued_total\{queue_name="mails",.*\} 2$/m,
    );
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

describe("queuescope metrics", () => {
  it("prints the metrics of all processes as those of one", async () => {
    await shop();
    await shop();
    const { code, out } = await run("metrics", "--once");
    expect(code).toBe(0);
    expect(out).toMatch(/^queue_depth\{queue_name="orders.*"\} 2$/m);
    const figures = JSON.parse((await run("metrics", "--once", "--json")).out);
    expect(figures['queue_completed_total{queue_name="mails",queue_outcome="success"}']).toBe(2);
  });

  it("says which port is in use, and what is wrong with an option", async () => {
    const { child, said } = await serving("metrics", "--port", "0");
    const port = /:(\d+)\/metrics/.exec(said)![1]!;
    const taken = await run("metrics", "--port", port);
    expect(taken.code).toBe(1);
    expect(taken.err).toContain(`port ${port} on 127.0.0.1 is in use`);
    expect((await run("metrics", "--port", "x")).code).toBe(2);
    expect((await run("metrics", "--every", "0")).err).toContain("--every must be seconds");
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});
