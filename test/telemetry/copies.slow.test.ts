import { execFile, execFileSync } from "node:child_process";
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { itWith } from "../live/servers.js";

/** For what never comes. */
const LIMIT_MS = 240_000;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;

/** An app that has the built package, and a dependency that brings the same again: two folders, so two modules each. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "queuescope-copies-"));
  for (const copy of ["app", "dependency"]) {
    await cp(join(ROOT, "dist"), join(folder, copy, "dist"), { recursive: true });
    await writeFile(join(folder, copy, "package.json"), '{ "type": "module" }');
  }
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  await writeFile(
    join(folder, "both.mjs"),
    `export * as app from "./app/dist/index.js";
     export * as dependency from "./dependency/dist/index.js";
     export async function pass({ FifoQueue, instrument }) {
       for (const name of ["shared", instrument === app.instrument ? "of the app" : "of the dependency"]) {
         const queue = instrument(new FifoQueue(), { name });
         await queue.put(1);
         (await queue.receive()).done();
       }
     }
     import * as app from "./app/dist/index.js";`,
  );
});

afterAll(() => rm(folder, { recursive: true }));

/** What a program prints that has both copies. */
async function run(program: string): Promise<string> {
  const file = join(folder, "program.mjs");
  await writeFile(file, `import { app, dependency, pass } from "./both.mjs";\n${program}`);
  const { stdout } = await promisify(execFile)(process.execPath, [file], {
    timeout: LIMIT_MS,
    maxBuffer: 2 ** 26,
  });
  return stdout;
}

/** What a scrape that finds every family once, and all series of both copies, has. */
function expectWhole(text: string): void {
  const heads = [...text.matchAll(/^# (?:HELP|TYPE) \S+/gm)].map(([head]) => head);
  expect(heads.length).toBeGreaterThan(20);
  expect(new Set(heads).size).toBe(heads.length);
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const series = samples.map((line) => line.slice(0, line.lastIndexOf(" ")));
  expect(new Set(series).size).toBe(series.length);
  const enqueued = (name: string) =>
    new RegExp(`^queue_enqueued_total\\{queue_name="${name}".*\\} (\\d+)$`, "m").exec(text)?.[1];
  expect(["shared", "of the app", "of the dependency"].map(enqueued)).toEqual(["2", "1", "1"]);
  expect(text).toMatch(/^queue_wait_seconds_count\{queue_name="shared".*\} 2$/m);
  texts.push(text);
}

const texts: string[] = [];

/** Advice on names, by which promtool ends with 3, is no fault. */
function expectParsed(promtool: string, text: string): void {
  try {
    execFileSync(promtool, ["check", "metrics"], { input: text, stdio: ["pipe", "pipe", "pipe"] });
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: Buffer };
    expect({ status, stderr: status === 3 ? "" : String(stderr) }).toEqual({ status: 3, stderr: "" });
  }
}

const EXPORTER = `
  import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
  import { MeterProvider } from "@opentelemetry/sdk-metrics";
  import { metrics } from "@opentelemetry/api";
  import { once } from "node:events";
  async function scrape(exporter) {
    let text;
    const ended = new Promise((resolve) => {
      exporter.getMetricsRequestHandler({}, { setHeader() {}, end(body) { text = body; resolve(); } });
    });
    await ended;
    return text;
  }
  const exporterOf = (metricProducers) => {
    const exporter = new PrometheusExporter({ preventServerStart: true, metricProducers });
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] }));
    return exporter;
  };
`;

describe("two copies of the built package", () => {
  it(
    "have every metric once by the producers of both in one exporter",
    async () => {
      expectWhole(
        await run(`${EXPORTER}
        const exporter = exporterOf([app.metricProducer(), dependency.metricProducer()]);
        for (const each of [app, dependency]) await pass(each);
        await scrape(exporter);
        console.log(await scrape(exporter));`),
      );
    },
    LIMIT_MS,
  );

  it(
    "have every metric once by the producer of one",
    async () => {
      for (const one of ["app", "dependency"]) {
        expectWhole(
          await run(`${EXPORTER}
          const exporter = exporterOf([${one}.metricProducer()]);
          for (const each of [app, dependency]) await pass(each);
          console.log(await scrape(exporter));`),
        );
      }
    },
    LIMIT_MS,
  );

  it(
    "have every metric once by the metrics API",
    async () => {
      expectWhole(
        await run(`${EXPORTER}
        const exporter = exporterOf([]);
        for (const each of [app, dependency]) await pass(each);
        console.log(await scrape(exporter));`),
      );
    },
    LIMIT_MS,
  );

  it(
    "have every metric once in each of two exporters",
    async () => {
      const text = await run(`${EXPORTER}
      const exporters = [exporterOf([app.metricProducer()]), exporterOf([dependency.metricProducer()])];
      for (const each of [app, dependency]) await pass(each);
      for (const each of exporters) console.log(await scrape(each), "\\n---");`);
      const texts = text.split("\n---\n").filter((each) => each.trim() !== "");
      expect(texts).toHaveLength(2);
      for (const each of texts) expectWhole(each.replace(/ $/gm, ""));
    },
    LIMIT_MS,
  );

  it(
    "have every metric once by startTelemetry of one, which the other one then can't start",
    async () => {
      const text = await run(`
      import { startTelemetry } from "./app/dist/sdk.js";
      import { startTelemetry as again, TelemetryRunningError } from "./dependency/dist/sdk.js";
      const telemetry = await startTelemetry({ serviceName: "s", prometheus: { port: 0 } });
      const error = await again({ serviceName: "s", prometheus: { port: 0 } }).catch((error) => error);
      if (!(error instanceof TelemetryRunningError)) throw error;
      for (const each of [app, dependency]) await pass(each);
      console.log(await (await fetch(telemetry.url)).text());
      await telemetry.shutdown();`);
      expectWhole(text);
    },
    LIMIT_MS,
  );

  it(
    "have every metric once in a registry of prom-client",
    async () => {
      const text = await run(`
      import promClient from "prom-client";
      import { registerWith } from "./app/dist/prom-client.js";
      import { registerWith as again } from "./dependency/dist/prom-client.js";
      for (const each of [app, dependency]) await pass(each);
      registerWith(promClient.register);
      again(promClient.register);
      promClient.collectDefaultMetrics();
      console.log(await promClient.register.metrics());`);
      expectWhole(text);
      expect(text).toMatch(/^process_cpu_user_seconds_total /m);
    },
    LIMIT_MS,
  );

  itWith("promtool")("have nothing that Prometheus itself could not read", async ({ paths }) => {
    expect(texts.length).toBeGreaterThan(6);
    for (const each of texts) expectParsed(paths.promtool, each);
  });
});
