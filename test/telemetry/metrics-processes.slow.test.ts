import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, it } from "vitest";

/** For what never comes. */
const LIMIT_MS = 240_000;

const SRC = fileURLToPath(new URL("../../src", import.meta.url));
const TSX = import.meta.resolve("tsx");
const START = `
  import { startTelemetry } from ${JSON.stringify(`${SRC}/sdk.ts`)};
  import { FifoQueue, instrument } from ${JSON.stringify(`${SRC}/index.ts`)};
`;

const children: ChildProcess[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

/** As a file, because node:cluster starts it again. */
async function program(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "queuescope-metrics-"));
  folders.push(folder);
  const file = join(folder, "program.mts");
  await writeFile(file, START + text);
  return file;
}

it(
  "of two workers on one port the second is told what to do, and counters of the first don't jump",
  async () => {
    const file = await program(`
    import cluster from "node:cluster";
    if (cluster.isPrimary) {
      const first = cluster.fork();
      const [{ url, port }] = await once(first, "message");
      const second = cluster.fork({ PORT: String(port) });
      const [{ error }] = await once(second, "message");
      // Another program may have just the port that a worker has by its number.
      let own;
      for (let tries = 0; own?.url === undefined && tries < 20; tries++) {
        [own] = await once(cluster.fork({ PORT: String(port), BY_WORKER: "1" }), "message");
      }
      const counts = [];
      for (let i = 0; i < 6; i++) {
        const text = await (await fetch(url)).text();
        counts.push(Number(/^queue_enqueued_total\\{queue_name="orders".*\\} (\\d+)$/m.exec(text)[1]));
      }
      console.log(JSON.stringify({ error, counts, own }));
      for (const worker of Object.values(cluster.workers)) worker.kill();
    } else {
      const queue = instrument(new FifoQueue(), { name: "orders" });
      for (let i = 0; i < cluster.worker.id * 3; i++) await queue.put(i);
      try {
        const base = Number(process.env.PORT ?? 0);
        const port = process.env.BY_WORKER ? base + cluster.worker.id : base;
        const { url } = await startTelemetry({ serviceName: "s", prometheus: { port } });
        process.send({ url, port: Number(new URL(url).port) });
      } catch ({ name, code, message }) {
        process.send({ error: { name, code, message } });
      }
    }
    import { once } from "node:events";
  `);
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", TSX, file], {
      timeout: LIMIT_MS,
    });
    const { error, counts, own } = JSON.parse(stdout);
    expect(error).toMatchObject({ name: "PortInUseError", code: "QUEUE_PORT_IN_USE" });
    expect(error.message).toMatch(
      /port \d+ on 127\.0\.0\.1 is in use.*port: 9464 \+ cluster\.worker\.id.*otlp/,
    );
    expect(counts).toEqual([3, 3, 3, 3, 3, 3]);
    expect(own.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  },
  LIMIT_MS,
);

it(
  "a process that has nothing left to do ends, though scrapers keep their connections",
  async () => {
    const file = await program(`
    const { url } = await startTelemetry({ serviceName: "s", prometheus: { port: 0 } });
    console.log(url);
    process.stdin.once("data", () => process.stdin.destroy());
  `);
    const child = spawn(process.execPath, ["--import", TSX, file], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    const [url] = await once(createInterface(child.stdout!), "line");
    const agent = new Agent({ keepAlive: true });
    const [response] = await once(get(url, { agent }), "response");
    response.resume();
    await once(response, "end");
    const exited = once(child, "exit");
    const before = performance.now();
    child.stdin!.write("end\n");
    expect(await exited).toEqual([0, null]);
    // A connection that is kept would hold it for 6 s, one that isn't read for ever.
    expect(performance.now() - before).toBeLessThan(4_000);
    agent.destroy();
  },
  LIMIT_MS,
);

it(
  "shutdown() ends in the midst of a scrape",
  async () => {
    const file = await program(`
    const telemetry = await startTelemetry({ serviceName: "s", prometheus: { port: 0, authorize: () => new Promise(() => {}) } });
    fetch(telemetry.url).catch(() => console.log("closed"));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await telemetry.shutdown();
    console.log("shut down");
  `);
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", TSX, file], {
      timeout: LIMIT_MS,
    });
    expect(stdout.trim().split("\n").sort()).toEqual(["closed", "shut down"]);
  },
  LIMIT_MS,
);
