import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../../src/base/errors.js";
import {
  type RunningTelemetry,
  startTelemetry,
  type TelemetryOptions,
} from "../../src/telemetry/sdk/start.js";
import { eventually } from "../../src/testing/eventually.js";

const NOTHING = /^startTelemetry\(\) exports nothing: prometheus is false/;

let running: RunningTelemetry | undefined;
let warnings: string[];
const listen = ({ message }: Error) => warnings.push(message);

beforeEach(() => {
  for (const variable of Object.keys(process.env)) {
    if (variable.startsWith("OTEL_")) vi.stubEnv(variable, undefined);
  }
  warnings = [];
  process.on("warning", listen);
});

afterEach(async () => {
  process.off("warning", listen);
  await running?.shutdown();
  running = undefined;
  vi.unstubAllEnvs();
});

async function start(options: Partial<TelemetryOptions>): Promise<RunningTelemetry> {
  running = await startTelemetry({ serviceName: "shop", ...options });
  return running;
}

describe("telemetry that goes nowhere", () => {
  it("is warned of", async () => {
    const telemetry = await start({ prometheus: false });
    expect(telemetry.url).toBeUndefined();
    await eventually(
      () => warnings.length > 0,
      () => "no warning came",
    );
    expect(warnings).toEqual([expect.stringMatching(NOTHING)]);
  });

  it.each([
    ["a port", {}, { prometheus: { port: 0 } }],
    ["otlp", {}, { prometheus: false, otlp: { endpoint: "http://127.0.0.1:1" }, shutdownTimeoutMs: 0 }],
    ["the environment", { OTEL_TRACES_EXPORTER: "console" }, { prometheus: false }],
  ] as const)("is not warned of with %s", async (_, environment, options) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    await start(options);
    await new Promise(setImmediate);
    expect(warnings).toEqual([]);
  });

  it("is so by OTEL_SDK_DISABLED: then nothing listens, which is said", async () => {
    vi.stubEnv("OTEL_SDK_DISABLED", "TRUE");
    const telemetry = await start({ prometheus: { port: 0 } });
    expect(telemetry.url).toBeUndefined();
    await eventually(
      () => warnings.length > 0,
      () => "no warning came",
    );
    expect(warnings).toEqual([expect.stringContaining("OTEL_SDK_DISABLED is true")]);
    await telemetry.shutdown();
    vi.stubEnv("OTEL_SDK_DISABLED", "false");
    const next = await start({ prometheus: { port: 0 } });
    expect(await (await fetch(next.url!)).text()).toContain("target_info");
  });
});

describe("an endpoint for OTLP", () => {
  it.each([
    ["http://127.0.0.1:431811", InvalidOptionTypeError],
    ["http://my collector:4318", InvalidOptionTypeError],
    ["http://127.0.0.1:4318/v1/traces", InvalidOptionRangeError],
    ["http://127.0.0.1:4318/v1/metrics/", InvalidOptionRangeError],
    ["http://127.0.0.1:4318/?key=1", InvalidOptionRangeError],
  ])("must be a base URL: %s is none", async (endpoint, kind) => {
    const refused = await start({ otlp: { endpoint } }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(kind);
    expect(refused).toMatchObject({ option: "otlp.endpoint", value: endpoint });
  });
});
