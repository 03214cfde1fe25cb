import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const INDEX = pathToFileURL(fileURLToPath(new URL("../dist/index.js", import.meta.url))).href;
const LIMIT_MS = 120_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "output-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Ends with the line `alive` on stdout, unless its stderr has ended it before. */
const PROGRAM = `
const { FifoQueue, WorkerPool, Watchdog, instrument } = await import(${JSON.stringify(INDEX)});
const { setTimeout: sleep } = await import("node:timers/promises");
const queue = instrument(new FifoQueue(), { name: "q", sla: { default: { targetMs: 10 } } });
const dog = new Watchdog({ everyMs: 20, stallThresholdMs: 100, signal: "SIGUSR2" }).watch(queue).start();
await queue.put(1);
const plain = new FifoQueue();
const pool = new WorkerPool(plain, () => { throw new Error("given up: " + "x".repeat(100)); });
await plain.put(1);
await sleep(300);
for (let i = 0; i < 5; i++) {
  process.kill(process.pid, "SIGUSR2");
  await sleep(30);
}
const until = Date.now() + 300;
while (Date.now() < until);
await sleep(100);
await dog.stop();
await sleep(50);
// As if we had not written: Node's console contains the first failure of its own, and only that.
console.error("mine");
await sleep(50);
if (process.listenerCount("SIGUSR2") > 0 || process.stderr.listenerCount("error") > 0) console.log("listens still");
console.log("alive");
`;

function run(
  redirection: string,
  program = PROGRAM,
  options = "",
): Promise<{ code: number | null; out: string }> {
  const file = join(folder, "program.mjs");
  writeFileSync(file, program);
  return new Promise((resolve) => {
    execFile(
      "sh",
      ["-c", `exec "$0" ${options} "$1" ${redirection}`, process.execPath, file],
      { timeout: LIMIT_MS },
      (error, out) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), out: out.trim() }),
    );
  });
}

/** A process whose stderr is a pipe that was closed at its other end. */
async function runPiped(name: string, program: string): Promise<{ code: number | null; out: string }> {
  const file = join(folder, name);
  writeFileSync(file, program);
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "pipe"] });
  child.stderr.destroy();
  let out = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out: out.trim() };
}

/** Where the system has none, what needs it is skipped by name. */
const itWithFullDisk = it.skipIf(!existsSync("/dev/full"));

describe("a process whose stderr is", () => {
  it.each([
    ["closed", "2>&-"],
    ["there, as usual", "2>/dev/null"],
  ])("%s goes on", { timeout: LIMIT_MS }, async (_, redirection) => {
    expect(await run(redirection)).toEqual({ code: 0, out: "alive" });
  });

  itWithFullDisk("a disk that is full goes on", { timeout: LIMIT_MS }, async () => {
    expect(await run("2>/dev/full")).toEqual({ code: 0, out: "alive" });
  });

  it("a pipe without a reader goes on", { timeout: LIMIT_MS }, async () => {
    expect(await runPiped("piped.mjs", PROGRAM)).toEqual({ code: 0, out: "alive" });
  });

  it("a pipe without a reader ends by the user's own write, as without us", {
    timeout: LIMIT_MS,
  }, async () => {
    const program = PROGRAM.replace("await dog.stop();", 'await dog.stop(); process.stderr.write("mine");');
    const { code, out } = await runPiped("own.mjs", program);
    expect(code).not.toBe(0);
    expect(out).not.toContain("alive");
  });
});

it("a drain whose report can't be printed still ends as it would", { timeout: LIMIT_MS }, async () => {
  const program = `
const { FifoQueue, WorkerPool, drainOnSignals } = await import(${JSON.stringify(INDEX)});
const queue = new FifoQueue();
const pool = new WorkerPool(queue, () => {});
drainOnSignals([pool]);
await queue.put(1);
setTimeout(() => {}, 100_000);
process.kill(process.pid, "SIGTERM");
`;
  expect(await run("2>/dev/full", program)).toEqual({ code: 0, out: "" });
});

describe("where Node profiles the process itself", () => {
  const program = `
const { FifoQueue, Watchdog, instrument } = await import(${JSON.stringify(INDEX)});
const { setTimeout: sleep } = await import("node:timers/promises");
const queue = instrument(new FifoQueue(), { name: "q" });
const dog = new Watchdog({ stallThresholdMs: 100, everyMs: 50, print: false }).watch(queue).start();
let seen;
// A crowded machine may hold up the start of the program, too.
dog.on("stall", (stall) => { if (stall.where?.functionName === "blocker") seen = stall; });
await sleep(500);
(function blocker() { const until = Date.now() + 500; while (Date.now() < until); })();
for (let i = 0; i < 100 && seen === undefined; i++) await sleep(100);
console.log(seen?.where?.functionName);
await dog.stop();
`;
  it.each([
    ["for coverage", { NODE_V8_COVERAGE: "coverage" }, ""],
    ["for its options", {}, "--cpu-prof --cpu-prof-dir=profiles"],
  ])(
    "%s, nothing of that is printed, and stalls are seen",
    { timeout: LIMIT_MS },
    async (_, env, options) => {
      const file = join(folder, "profiled.mjs");
      writeFileSync(file, program);
      const errors = join(folder, "errors.txt");
      const out = await new Promise((resolve, reject) => {
        execFile(
          "sh",
          ["-c", `exec "$0" ${options} "$1" 2>"$2"`, process.execPath, file, errors],
          { timeout: LIMIT_MS, cwd: folder, env: { ...process.env, ...env } },
          (error, stdout) => (error === null ? resolve(stdout.trim()) : reject(error)),
        );
      });
      expect(readFileSync(errors, "utf8")).toBe("");
      expect(out).toBe("blocker");
    },
  );
});
