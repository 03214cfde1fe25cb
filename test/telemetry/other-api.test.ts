import { createRequire } from "node:module";
import type * as Api from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SpanCapture } from "../support/telemetry-capture.js";

/** Versions that another package of the app may bring along. */
const VERSIONS = { "1.9.1": "opentelemetry-api-1.9", "1.10.0": "opentelemetry-api-1.10" } as const;
type Version = keyof typeof VERSIONS;

const require = createRequire(import.meta.url);
const load = (version: Version): typeof Api => require(VERSIONS[version]);

let warnings: string[];

beforeEach(() => {
  warnings = [];
  const hear = (warning: Error) => void warnings.push(warning.message);
  process.on("warning", hear);
  stops.push(() => process.off("warning", hear));
});

const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.doUnmock("@opentelemetry/api");
  vi.restoreAllMocks();
});

/** Node tells its listeners of warnings in a later tick. */
function told(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** This library, with that version of the API. */
async function libraryWith(version: Version) {
  vi.resetModules();
  vi.doMock("@opentelemetry/api", () => load(version));
  const { instrument } = await import("../../src/adapters/instrument.js");
  const { FifoQueue } = await import("../../src/queue/fifo-queue.js");
  let count = 0;
  return () => instrument(new FifoQueue<number>(), { name: `other-api-${version}-${count++}` });
}

/** An SDK, registered with that version of the API. */
function register(version: Version): void {
  const { provider } = new SpanCapture({ register: false });
  const { trace } = load(version);
  trace.setGlobalTracerProvider(provider as never);
  stops.push(() => trace.disable());
}

/** The version under which things are registered stays that of the first in the process. */
beforeEach(() => {
  const key = Symbol.for("opentelemetry.js.api.1");
  const store = globalThis as Record<symbol, unknown>;
  const before = store[key];
  delete store[key];
  stops.push(() => {
    store[key] = before;
  });
});

const TEXT =
  /^OpenTelemetry was registered with @opentelemetry\/api 1\.9\.1, .* npm install @opentelemetry\/api@1\.9\.1/;

describe("another copy of @opentelemetry/api", () => {
  it("that is older and has an SDK is warned of once, at instrument", async () => {
    register("1.9.1");
    const make = await libraryWith("1.10.0");
    make();
    make();
    await told();
    expect(warnings).toEqual([expect.stringMatching(TEXT)]);
  });

  it("is warned of when it gets its SDK later", async () => {
    const make = await libraryWith("1.10.0");
    const queue = make();
    await queue.put(1);
    await told();
    expect(warnings).toEqual([]);
    register("1.9.1");
    for (let i = 0; i < 512; i++) await queue.put(i);
    await told();
    expect(warnings).toEqual([expect.stringMatching(TEXT)]);
  });

  it.each([
    ["1.10.0", "1.9.1"],
    ["1.9.1", "1.9.1"],
    ["1.10.0", "1.10.0"],
  ] as const)("%s, which a library with %s understands, is none to warn of", async (other, ours) => {
    register(other);
    const make = await libraryWith(ours);
    const queue = make();
    for (let i = 0; i < 512; i++) await queue.put(i);
    await told();
    expect(warnings).toEqual([]);
  });

  it("does no harm where something else stands in its place", async () => {
    for (const odd of [5, "text", { version: {}, trace: {} }, Object.create(null), null]) {
      (globalThis as Record<symbol, unknown>)[Symbol.for("opentelemetry.js.api.1")] = odd;
      const queue = (await libraryWith("1.10.0"))();
      await queue.put(1);
      expect(await queue.get()).toBe(1);
    }
  });
});
