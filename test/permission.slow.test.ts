import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const ROOT = realpathSync(fileURLToPath(new URL("..", import.meta.url)));
const url = (path: string) => JSON.stringify(pathToFileURL(join(ROOT, path)).href);
const LIMIT_MS = 120_000;
const has = (option: string) => process.allowedNodeEnvironmentFlags.has(option);
/** Node 20 calls it so, and has no word to allow the inspector by. */
const PERMISSION = has("--permission") ? "--permission" : "--experimental-permission";

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "permission-")));
});
beforeEach(() => {
  rmSync(join(folder, "reports"), { recursive: true, force: true });
  mkdirSync(join(folder, "reports"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(
  program: string,
  allowed: readonly string[],
): Promise<{ code: number; out: string; err: string }> {
  const file = join(folder, "program.mjs");
  writeFileSync(file, program);
  const options = [PERMISSION, `--allow-fs-read=${ROOT}/*`, `--allow-fs-read=${folder}/*`, ...allowed];
  return new Promise((resolve) => {
    execFile(process.execPath, [...options, file], { timeout: LIMIT_MS }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out: out.trim(), err }),
    );
  });
}

/** It blocks its loop until a stall is told, if one is to be: the thread that sees it takes a while to start on a crowded machine. */
const watched = (stalls: 0 | 1) => `
const { FifoQueue, Watchdog, instrument } = await import(${url("dist/index.js")});
const { setTimeout: sleep } = await import("node:timers/promises");
const queue = instrument(new FifoQueue(), { name: "q", sla: { default: { targetMs: 50 } } });
const told = { breaches: 0, stalls: [], errors: [] };
const dog = new Watchdog({ stallThresholdMs: 100, everyMs: 50, reportDir: ${JSON.stringify(join(folder, "reports"))} }).watch(queue);
dog.on("breach", () => told.breaches++).on("error", ({ code, message }) => told.errors.push(code ?? message));
dog.on("stall", ({ where }) => told.stalls.push(where?.functionName ?? null));
dog.start();
await queue.put(1);
const limit = Date.now() + 60_000;
do {
  await sleep(600);
  (function blocker() { const until = Date.now() + 500; while (Date.now() < until); })();
  await sleep(700);
} while (told.stalls.length < ${stalls} && Date.now() < limit);
dog.report();
await dog.stop();
console.log(JSON.stringify(told));
`;
const WRITE = () => `--allow-fs-write=${folder}/*`;

describe("without the permission", { timeout: LIMIT_MS }, () => {
  it("to have threads, breaches are found and written, and one line says what is missing", async () => {
    const { code, out, err } = await run(watched(0), [WRITE()]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ breaches: 1, stalls: [], errors: [] });
    expect(err.match(/queuescope: .*/g)).toEqual([
      "queuescope: threads are not available (ERR_ACCESS_DENIED): event-loop stalls are not watched",
    ]);
    expect(readdirSync(join(folder, "reports"))).toHaveLength(2);
  });

  it("to inspect, stalls have no places", async () => {
    const { code, out, err } = await run(watched(1), [WRITE(), "--allow-worker"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ breaches: 1, errors: [] });
    expect(new Set(JSON.parse(out).stalls)).toEqual(new Set([null]));
    expect(err.match(/--allow-inspector\)/g)).toHaveLength(1);
  });

  it("to write, it is told, and breaches are events all the same", async () => {
    const { code, out } = await run(watched(0), []);
    expect(code).toBe(0);
    const { breaches, errors } = JSON.parse(out);
    expect(breaches).toBe(1);
    expect(new Set(errors)).toEqual(new Set(["ERR_ACCESS_DENIED"]));
    expect(errors.length).toBeLessThanOrEqual(2);
    expect(readdirSync(join(folder, "reports"))).toEqual([]);
  });

  it.runIf(has("--allow-net"))("to listen, startTelemetry rejects, and the process goes on", async () => {
    const { code, out } = await run(
      `
const { startTelemetry } = await import(${url("dist/sdk.js")});
await startTelemetry({ serviceName: "x", prometheus: { port: 0 } }).catch(({ code, message }) => console.log(code, message));
`,
      [],
    );
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^ERR_ACCESS_DENIED .*--allow-net/),
    });
  });
});

it.runIf(has("--allow-inspector"))("with every permission all works", { timeout: LIMIT_MS }, async () => {
  const { code, out } = await run(watched(1), [WRITE(), "--allow-worker", "--allow-inspector"]);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ breaches: 1, errors: [] });
  expect(JSON.parse(out).stalls).toContain("blocker");
});
