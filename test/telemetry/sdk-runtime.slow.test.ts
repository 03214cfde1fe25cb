import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { RuntimeNodeInstrumentation } from "@opentelemetry/instrumentation-runtime-node";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type RunningTelemetry,
  startTelemetry,
  type TelemetryOptions,
} from "../../src/telemetry/sdk/start.js";
import { OtlpReceiver } from "../support/otlp-receiver.js";
import { DiagCapture } from "../support/telemetry-capture.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const ANY_PORT = { port: 0 };

/** The series that docs/telemetry.md says there are. */
function documented(): string[] {
  const docs = readFileSync(join(ROOT, "docs/telemetry.md"), "utf8");
  const [, section] = /\n### The process\n([\s\S]*?)\n#/.exec(docs)!;
  return [...section!.matchAll(/^\| `(\S+)` \| (?:gauge|counter|histogram) \|/gm)].map(([, name]) => name!);
}

const running: RunningTelemetry[] = [];

beforeEach(() => {
  for (const variable of Object.keys(process.env)) {
    if (variable.startsWith("OTEL_")) vi.stubEnv(variable, undefined);
  }
});

afterEach(async () => {
  for (const telemetry of running.splice(0)) await telemetry.shutdown();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function start(options: Partial<TelemetryOptions> = {}): Promise<RunningTelemetry> {
  const telemetry = await startTelemetry({ serviceName: "shop", prometheus: ANY_PORT, ...options });
  running.push(telemetry);
  return telemetry;
}

/** What the metrics of the runtime are called at the endpoint. */
async function scraped({ url }: RunningTelemetry): Promise<string[]> {
  const text = await (await fetch(url as string)).text();
  return [...text.matchAll(/^# TYPE ((?:nodejs|v8js)_\S+) /gm)].map(([, name]) => name!);
}

/** What we told; the SDK has errors of its own to tell. */
function told({ errors }: DiagCapture): unknown[][] {
  return errors.filter(([text]) => String(text).startsWith("queuescope:"));
}

/** Until there was a garbage collection, and enough samples of the event loop. */
function makeGarbage(): void {
  for (let i = 0; i < 100; i++) Array.from({ length: 10_000 }, (_, n) => ({ n }));
}

describe("the metrics of the runtime", () => {
  it("are at the Prometheus endpoint, and are those of the docs", async () => {
    const telemetry = await start();
    const names = documented();
    expect(names.length).toBeGreaterThan(10);
    await vi.waitFor(
      async () => {
        makeGarbage();
        expect((await scraped(telemetry)).sort()).toEqual(names.sort());
      },
      { timeout: 120_000, interval: 100 },
    );
  });

  it("go to OTLP with the others", async () => {
    const receiver = await OtlpReceiver.start();
    const telemetry = await start({ prometheus: false, otlp: { endpoint: receiver.endpoint } });
    await telemetry.shutdown();
    await receiver.stop();
    const names = receiver.metrics.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["nodejs.eventloop.utilization", "v8js.memory.heap.used"]));
    expect(new Set(names).size).toBe(names.length);
  });

  it("are not measured where they are not read", async () => {
    const started = vi.spyOn(RuntimeNodeInstrumentation.prototype, "setMeterProvider");
    await start({ prometheus: false });
    expect(started).not.toHaveBeenCalled();
  });

  it("end at shutdown, and begin again with the next start", async () => {
    const ended = vi.spyOn(RuntimeNodeInstrumentation.prototype, "disable");
    const first = await start();
    expect(ended).not.toHaveBeenCalled();
    await first.shutdown();
    await first.shutdown();
    expect(ended).toHaveBeenCalledTimes(1);
    const names = await scraped(await start());
    expect(names).toContain("nodejs_eventloop_utilization");
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("an instrumentation of the runtime", () => {
  it("that does not start is told to diag, and breaks nothing", async () => {
    const diagnosis = new DiagCapture();
    const error = new Error("no runtime today");
    vi.spyOn(RuntimeNodeInstrumentation.prototype, "setMeterProvider").mockImplementation(() => {
      throw error;
    });
    const telemetry = await start();
    expect(await scraped(telemetry)).toEqual([]);
    expect(told(diagnosis)).toEqual([["queuescope: the metrics of the runtime could not be started", error]]);
    diagnosis.stop();
  });

  it("that does not end is told to diag, and shutdown resolves", async () => {
    const diagnosis = new DiagCapture();
    const error = new Error("it goes on");
    const telemetry = await start();
    const disable = vi.spyOn(RuntimeNodeInstrumentation.prototype, "disable").mockImplementationOnce(() => {
      throw error;
    });
    await telemetry.shutdown();
    expect(told(diagnosis)).toEqual([["queuescope: the metrics of the runtime could not be ended", error]]);
    diagnosis.stop();
    (disable.mock.contexts[0] as RuntimeNodeInstrumentation).disable();
  });

  it("that is not installed is not missed, and nothing is said", async () => {
    const folder = mkdtempSync(join(tmpdir(), "queuescope-"));
    try {
      cpSync(join(ROOT, "src"), join(folder, "src"), { recursive: true });
      const packages = join(folder, "node_modules/@opentelemetry");
      mkdirSync(packages, { recursive: true });
      for (const name of ["api", "exporter-prometheus", "sdk-node", "sdk-trace"]) {
        symlinkSync(join(ROOT, "node_modules/@opentelemetry", name), join(packages, name));
      }
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      writeFileSync(
        join(folder, "main.ts"),
        `import { diag, DiagLogLevel } from "@opentelemetry/api";
         import { startTelemetry } from "./src/sdk.js";
         const say = (...words: unknown[]) => /queuescope/.test(String(words[0])) && console.log(...words);
         diag.setLogger({ error: say, warn: say, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
         const { url, shutdown } = await startTelemetry({ serviceName: "s", prometheus: { port: 0 } });
         const text = await (await fetch(url as string)).text();
         console.log(/target_info/.test(text), /nodejs_|v8js_/.test(text));
         await shutdown();`,
      );
      const args = ["--import", import.meta.resolve("tsx"), join(folder, "main.ts")];
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 });
      expect([stdout.trim(), stderr]).toEqual(["true false", ""]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
