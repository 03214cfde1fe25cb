import { execFile } from "node:child_process";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  context,
  createContextKey,
  metrics,
  propagation,
  ROOT_CONTEXT,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { InvalidOptionRangeError, InvalidOptionTypeError, PortInUseError } from "../../src/base/errors.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { currentCorrelationId } from "../../src/telemetry/context/correlation.js";
import {
  type RunningTelemetry,
  startTelemetry,
  type TelemetryOptions,
} from "../../src/telemetry/sdk/start.js";
import { forgetProcessWide } from "../support/forget-process-wide.js";
import { OtlpReceiver } from "../support/otlp-receiver.js";
import { DiagCapture, MetricCapture, SpanCapture, signal } from "../support/telemetry-capture.js";

const ANY_PORT = { prometheus: { port: 0 } };

let running: RunningTelemetry[] = [];
let receiver: OtlpReceiver;
let name: string;
let count = 0;

beforeEach(async () => {
  for (const variable of Object.keys(process.env)) {
    if (variable.startsWith("OTEL_")) vi.stubEnv(variable, undefined);
  }
  receiver = await OtlpReceiver.start();
  name = `sdk-${count++}`;
});

afterEach(async () => {
  for (const telemetry of running) await telemetry.shutdown();
  running = [];
  await receiver.stop();
  vi.unstubAllEnvs();
});

async function start(options: Partial<TelemetryOptions> = {}): Promise<RunningTelemetry> {
  const telemetry = await startTelemetry({ serviceName: "shop", ...ANY_PORT, ...options });
  running.push(telemetry);
  return telemetry;
}

async function pass(queue = instrument(new FifoQueue<string>(), { name })): Promise<FifoQueue<string>> {
  await queue.put("item");
  const delivery = await queue.receive();
  delivery.run(() => {});
  delivery.done();
  return queue;
}

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

const SDK = fileURLToPath(new URL("../../src/telemetry/sdk/start.ts", import.meta.url));

/** Runs it in a process of its own, until that ends; what it printed. */
async function runScript(script: string): Promise<string> {
  const args = ["--import", "tsx", "--input-type=module", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 180_000 });
  return stdout;
}

async function takePort(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

describe("the Prometheus endpoint", () => {
  it("serves every series at the URL it names, under the names of the contract", async () => {
    const { url } = await start();
    const queue = instrument(new FifoQueue<string>({ capacity: 5 }), { name });
    await pass(queue);
    const response = await fetch(url as string);
    // Of a queue that is garbage by then there is no capacity.
    expect(queue.size).toBe(0);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    const text = await response.text();
    const lines = text.split("\n").filter((line) => line.includes(`queue_name="${name}"`));
    const value = (series: string) =>
      lines.find((line) => line.startsWith(`${series}{`))?.match(/} (\S+)/)?.[1];
    expect(value("queue_depth")).toBe("0");
    expect(value("queue_capacity")).toBe("5");
    expect(value("queue_enqueued_total")).toBe("1");
    expect(value("queue_completed_total")).toBe("1");
    expect(value("queue_wait_seconds_count")).toBe("1");
    expect(lines.some((line) => /^queue_wait_seconds_bucket\{.*le="0.0025"/.test(line))).toBe(true);
    expect(text).toMatch(/^# TYPE queue_enqueued_total counter$/m);
    expect(text).toMatch(/^# TYPE queue_depth gauge$/m);
    expect(text).toMatch(/^# TYPE queue_wait_seconds histogram$/m);
    expect(text).toMatch(/service_name="shop"/);
  });

  it("answers 404 anywhere else, and ignores a query", async () => {
    const { url } = await start();
    for (const path of ["/", "/metricsx", "/metrics/x", "/health"]) {
      expect([path, (await fetch(new URL(path, url))).status]).toEqual([path, 404]);
    }
    expect((await fetch(`${url}?collect=all`)).status).toBe(200);
  });

  it("listens on the loopback address and nowhere else, unless told to", async () => {
    const { url } = await start();
    const { hostname, port } = new URL(url as string);
    expect(hostname).toBe("127.0.0.1");
    expect(await isListening("127.0.0.1", Number(port))).toBe(true);
    // Who binds all interfaces answers here too.
    expect(await isListening("127.0.0.2", Number(port))).toBe(false);
  });

  it("may listen on another host", async () => {
    const { url } = await start({ prometheus: { host: "localhost", port: 0 } });
    expect(url).toMatch(/^http:\/\/localhost:\d+\/metrics$/);
    expect((await fetch(url as string)).status).toBe(200);
  });

  it("is read by those alone whom authorize lets in", async () => {
    const { url } = await start({
      prometheus: { port: 0, authorize: ({ headers }) => headers.authorization === "Bearer token" },
    });
    expect((await fetch(url as string)).status).toBe(401);
    const headers = { authorization: "Bearer token" };
    expect((await fetch(url as string, { headers })).status).toBe(200);
  });

  it("gives each of very many queues once, every family under one head", async () => {
    const { url } = await start();
    for (let i = 0; i < 100; i++) instrument(new FifoQueue<string>(), { name: `${name}-${i}` });
    const text = await (await fetch(url as string)).text();
    const heads = [...text.matchAll(/^# (?:HELP|UNIT|TYPE) \S+/gm)].map(([head]) => head);
    expect(new Set(heads).size).toBe(heads.length);
    for (let i = 0; i < 100; i++) {
      const count = new RegExp(`^queue_wait_seconds_count\\{queue_name="${name}-${i}".*\\} 0$`, "gm");
      expect(text.match(count)).toHaveLength(1);
    }
    expect(text).not.toContain("no registered metrics");
  });

  it("is not there with prometheus: false", async () => {
    const { url } = await start({ prometheus: false });
    expect(url).toBeUndefined();
  });

  it("counts from zero before anything happens", async () => {
    const { url } = await start();
    instrument(new FifoQueue<string>(), { name });
    const text = await (await fetch(url as string)).text();
    expect(text).toMatch(new RegExp(`^queue_enqueued_total\\{queue_name="${name}".*\\} 0$`, "m"));
    expect(text).toMatch(new RegExp(`^queue_wait_seconds_count\\{queue_name="${name}".*\\} 0$`, "m"));
  });
});

describe("a start that fails", () => {
  it("says which port is taken by which option, and leaves nothing behind", async () => {
    const { server, port } = await takePort();
    const before = metrics.getMeterProvider();
    const error = await startTelemetry({ serviceName: "shop", prometheus: { port } }).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(PortInUseError);
    expect(error).toMatchObject({
      code: "QUEUE_PORT_IN_USE",
      option: "prometheus.port",
      port,
      host: "127.0.0.1",
    });
    expect((error as Error).message).toBe(
      `prometheus.port: port ${port} on 127.0.0.1 is in use; choose another one, or 0 for any free port`,
    );
    expect(metrics.getMeterProvider()).toBe(before);
    expect(trace.getTracer("any").startSpan("any").isRecording()).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    const { url } = await start({ prometheus: { port } });
    expect(new URL(url as string).port).toBe(String(port));
  });

  it("does not take the metrics API away from who goes on without us", async () => {
    forgetProcessWide();
    const { server, port } = await takePort();
    const sdk = await import("../../src/telemetry/sdk/start.js");
    await expect(sdk.startTelemetry({ serviceName: "shop", prometheus: { port } })).rejects.toThrow(/in use/);
    const fresh = await import("../../src/adapters/instrument.js");
    const capture = new MetricCapture("plain");
    await pass(fresh.instrument(new FifoQueue<string>(), { name }));
    expect((await capture.collect()).number("queue.enqueued", { "queue.name": name })).toBe(1);
    await capture.stop();
    await new Promise((resolve) => server.close(resolve));
  });

  it("passes on what else the system says about listening", async () => {
    const error = await startTelemetry({
      serviceName: "shop",
      prometheus: { host: "192.0.2.1", port: 0 },
    }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "EADDRNOTAVAIL" });
    await start();
  });

  it("is what a second start is, and the first goes on", async () => {
    const { url } = await start();
    await expect(startTelemetry({ serviceName: "shop", ...ANY_PORT })).rejects.toThrow(/runs already/);
    expect((await fetch(url as string)).status).toBe(200);
  });

  const bad: [string, unknown, typeof InvalidOptionTypeError | typeof InvalidOptionRangeError][] = [
    ["options", undefined, InvalidOptionTypeError],
    ["options", "shop", InvalidOptionTypeError],
    ["serviceName", {}, InvalidOptionTypeError],
    ["serviceName", { serviceName: "" }, InvalidOptionTypeError],
    ["prometheus", { serviceName: "s", prometheus: true }, InvalidOptionTypeError],
    ["prometheus", { serviceName: "s", prometheus: null }, InvalidOptionTypeError],
    ["prometheus.host", { serviceName: "s", prometheus: { host: "" } }, InvalidOptionTypeError],
    ["prometheus.host", { serviceName: "s", prometheus: { host: null } }, InvalidOptionTypeError],
    ["prometheus.port", { serviceName: "s", prometheus: { port: "9464" } }, InvalidOptionTypeError],
    ["prometheus.port", { serviceName: "s", prometheus: { port: -1 } }, InvalidOptionRangeError],
    ["prometheus.port", { serviceName: "s", prometheus: { port: 65_536 } }, InvalidOptionRangeError],
    ["prometheus.port", { serviceName: "s", prometheus: { port: 1.5 } }, InvalidOptionRangeError],
    [
      "prometheus.authorize",
      { serviceName: "s", prometheus: { authorize: "Bearer token" } },
      InvalidOptionTypeError,
    ],
    ["sampling", { serviceName: "s", sampling: "all" }, InvalidOptionTypeError],
    ["sampling", { serviceName: "s", sampling: 1.1 }, InvalidOptionRangeError],
    ["sampling", { serviceName: "s", sampling: Number.NaN }, InvalidOptionRangeError],
    ["shutdownTimeoutMs", { serviceName: "s", shutdownTimeoutMs: "5s" }, InvalidOptionTypeError],
    ["shutdownTimeoutMs", { serviceName: "s", shutdownTimeoutMs: null }, InvalidOptionTypeError],
    ["shutdownTimeoutMs", { serviceName: "s", shutdownTimeoutMs: -1 }, InvalidOptionRangeError],
    ["shutdownTimeoutMs", { serviceName: "s", shutdownTimeoutMs: Number.NaN }, InvalidOptionRangeError],
    ["otlp.endpoint", { serviceName: "s", otlp: {} }, InvalidOptionTypeError],
    ["otlp.endpoint", { serviceName: "s", otlp: null }, InvalidOptionTypeError],
    ["otlp.endpoint", { serviceName: "s", otlp: { endpoint: "collector:4318" } }, InvalidOptionTypeError],
  ];
  it.each(bad)("names the bad option: %s of %o", async (option, options, kind) => {
    const error = await startTelemetry(options as TelemetryOptions).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ option });
    expect((error as Error).message).toMatch(new RegExp(`^${option} must be .+, not .+`));
  });
});

it.each([
  [{ shutdownTimeout: 1_000 }, "shutdownTimeout is not an option; did you mean shutdownTimeoutMs?"],
  [{ prometheus: { hostt: "::1" } }, "prometheus.hostt is not an option; did you mean prometheus.host?"],
  [{ otlp: { url: "http://127.0.0.1:4318" } }, "otlp.url is not an option; there are endpoint"],
])("an unknown option is an error: %o", async (options, message) => {
  const given = { serviceName: "s", ...options } as TelemetryOptions;
  await expect(startTelemetry(given)).rejects.toThrow(message);
});

describe("flush", () => {
  it("sends what there is by now, spans and metrics, each time, and goes on", async () => {
    const telemetry = await start({ otlp: { endpoint: receiver.endpoint }, prometheus: false });
    const queue = await pass();
    for (const passed of [1, 2]) {
      await telemetry.flush();
      expect(receiver.spans.filter((span) => span.name === `send ${name}`)).toHaveLength(passed);
      expect(receiver.metrics.map((metric) => metric.name)).toContain("queue.enqueued");
      await pass(queue);
    }
    const stopped = telemetry.shutdown();
    await telemetry.flush();
    expect(receiver.spans.filter((span) => span.name === `send ${name}`)).toHaveLength(3);
    await stopped;
    await telemetry.flush();
  });

  it("sends the metrics where another meter provider was registered before ours", async () => {
    const theirs = new MetricCapture("plain");
    const telemetry = await start({ otlp: { endpoint: receiver.endpoint }, prometheus: false });
    await pass();
    await telemetry.flush();
    expect(receiver.metrics.map((metric) => metric.name)).toContain("queue.enqueued");
    await theirs.stop();
  });

  it("sends the metrics though the spans can't be, never rejects, and takes no longer than shutdown may", async () => {
    const never = signal();
    receiver.pause = never.promise;
    const telemetry = await start({ otlp: { endpoint: receiver.endpoint }, shutdownTimeoutMs: 50 });
    await pass();
    const said = new DiagCapture();
    await telemetry.flush();
    said.stop();
    expect(said.errors).toEqual([
      ["queuescope: the last telemetry could not be sent", new Error("it took longer than 50 ms")],
    ]);
    never.give();
  });

  it("is nothing where nothing is sent", async () => {
    await (await start()).flush();
    vi.stubEnv("OTEL_SDK_DISABLED", "true");
    await running.pop()!.shutdown();
    await (await start()).flush();
  });
});

describe("shutdown", () => {
  it("sends what is left, closes the port, and can be called again", async () => {
    const telemetry = await start({ otlp: { endpoint: receiver.endpoint } });
    await pass();
    expect(receiver.spans).toEqual([]);
    const first = telemetry.shutdown();
    expect(telemetry.shutdown()).toBe(first);
    await first;
    expect(receiver.spans.map((span) => span.name).sort()).toEqual([`process ${name}`, `send ${name}`]);
    expect([...receiver.services]).toEqual(["shop"]);
    expect(await isListening("127.0.0.1", Number(new URL(telemetry.url as string).port))).toBe(false);
    await telemetry.shutdown();
  });

  it("leaves nothing registered, and queues that work", async () => {
    const telemetry = await start();
    const queue = await pass();
    await telemetry.shutdown();
    expect(trace.getTracer("any").startSpan("any").spanContext().traceId).toMatch(/^0+$/);
    await pass(queue);
  });

  it("takes back contexts and propagators, also where no spans are made", async () => {
    vi.stubEnv("OTEL_TRACES_EXPORTER", "unknown");
    await (await start()).shutdown();
    expect(propagation.fields()).toEqual([]);
    const key = createContextKey("any");
    context.with(context.active().setValue(key, 1), () =>
      expect(context.active().getValue(key)).toBe(undefined),
    );
  });

  it("leaves an SDK registered that was so before us", async () => {
    const spans = new SpanCapture();
    const telemetry = await start();
    await telemetry.shutdown();
    trace.getTracer("any").startActiveSpan("theirs", (span) => {
      expect(trace.getActiveSpan()).toBe(span);
      span.end();
    });
    await spans.only("theirs");
    await spans.stop();
  });

  it("can be followed by a new start, and counts go on", async () => {
    const first = await start({ otlp: { endpoint: receiver.endpoint } });
    const queue = await pass();
    await first.shutdown();
    const second = await start({ otlp: { endpoint: receiver.endpoint } });
    await pass(queue);
    const text = await (await fetch(second.url as string)).text();
    expect(text).toMatch(new RegExp(`^queue_enqueued_total\\{queue_name="${name}".*\\} 2$`, "m"));
    await second.shutdown();
    expect(receiver.spans.filter((span) => span.name === `send ${name}`)).toHaveLength(2);
  });

  it("resolves when what is left can't be sent, and has stopped everything all the same", async () => {
    const telemetry = await startTelemetry({
      serviceName: "shop",
      ...ANY_PORT,
      otlp: { endpoint: receiver.endpoint },
    });
    await pass();
    receiver.status = 400;
    await telemetry.shutdown(); // a collector that is away must not turn a clean exit into a failed one
    expect(await isListening("127.0.0.1", Number(new URL(telemetry.url as string).port))).toBe(false);
    await start();
  });

  it("waits for a collector that is slow, but not for ever; what is on its way gets there all the same", async () => {
    const answer = signal();
    receiver.pause = answer.promise;
    const telemetry = await start({ otlp: { endpoint: receiver.endpoint }, shutdownTimeoutMs: 50 });
    await pass();
    const said = new DiagCapture();
    await telemetry.shutdown();
    said.stop();
    expect(said.errors).toEqual([
      ["queuescope: the last telemetry could not be sent", new Error("it took longer than 50 ms")],
    ]);
    expect(receiver.spans).toEqual([]);
    expect(await isListening("127.0.0.1", Number(new URL(telemetry.url as string).port))).toBe(false);
    expect(trace.getTracer("any").startSpan("any").isRecording()).toBe(false);
    answer.give();
    await vi.waitFor(() => expect(receiver.spans).toHaveLength(2), { timeout: 120_000 });
  });

  it("closes the port even if a scraper keeps its connection", async () => {
    const { url, shutdown } = await start();
    const response = await fetch(url as string, { keepalive: true });
    await response.text();
    await shutdown();
    await expect(fetch(url as string)).rejects.toThrow();
  });
});

describe("OTLP", () => {
  it("gets spans alone while Prometheus has the metrics", async () => {
    const telemetry = await start({ otlp: { endpoint: `${receiver.endpoint}/` } });
    await pass();
    await telemetry.shutdown();
    expect([...new Set(receiver.paths)]).toEqual(["/v1/traces"]);
  });

  it("gets metrics too with prometheus: false, histograms from the producer", async () => {
    const telemetry = await start({ prometheus: false, otlp: { endpoint: receiver.endpoint } });
    await pass();
    await telemetry.shutdown();
    expect([...new Set(receiver.paths)].sort()).toEqual(["/v1/metrics", "/v1/traces"]);
    const ours = receiver.metrics.filter((metric) => metric.name.startsWith("queue."));
    const names = ours.map((metric) => metric.name);
    expect(new Set(names).size).toBe(names.length);
    const wait = ours.find((metric) => metric.name === "queue.wait.seconds");
    expect(wait?.unit).toBe("s");
    expect(wait?.histogram?.dataPoints.some(({ count }) => Number(count) === 1)).toBe(true);
    expect(ours.find((metric) => metric.name === "queue.enqueued")?.sum?.isMonotonic).toBe(true);
    expect(ours.find((metric) => metric.name === "queue.depth")?.gauge).toBeDefined();
  });

  it("is where the environment says, for spans", async () => {
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint);
    vi.stubEnv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
    const telemetry = await start();
    await pass();
    await telemetry.shutdown();
    expect(receiver.spans.map((span) => span.name)).toContain(`send ${name}`);
  });

  it("is nowhere, unless an option says so: no metrics go to the usual port", async () => {
    const before = metrics.getMeterProvider();
    await start({ prometheus: false });
    expect(metrics.getMeterProvider()).toBe(before);
  });
});

describe("service.instance.id", () => {
  const otlp = () => ({ prometheus: false, otlp: { endpoint: receiver.endpoint } }) as const;

  it("is the same in all that a process sends", async () => {
    for (let i = 0; i < 2; i++) {
      const telemetry = await start(otlp());
      await pass();
      await telemetry.shutdown();
    }
    expect(new Set(receiver.paths)).toEqual(new Set(["/v1/traces", "/v1/metrics"]));
    expect([...receiver.instances]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  });

  it("is what the environment says", async () => {
    vi.stubEnv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=pod-1,service.version=2");
    const telemetry = await start(otlp());
    await pass();
    await telemetry.shutdown();
    expect([...receiver.instances]).toEqual(["pod-1"]);
  });

  it("tells the processes of a service apart, whose series would be one and the same", async () => {
    const script = `
      const { startTelemetry } = await import(${JSON.stringify(SDK)});
      const options = { serviceName: "s", prometheus: false, otlp: { endpoint: ${JSON.stringify(receiver.endpoint)} } };
      await (await startTelemetry(options)).shutdown();
    `;
    await Promise.all([runScript(script), runScript(script)]);
    expect([...receiver.services]).toEqual(["s"]);
    expect(receiver.instances.size).toBe(2);
    expect(receiver.instances).not.toContain("");
  });
});

describe("beside an SDK that was registered before", () => {
  const warn = vi.spyOn(process, "emitWarning");
  beforeEach(() => void warn.mockClear().mockImplementation(() => {}));

  it("says so, of spans, and what that means", async () => {
    const spans = new SpanCapture();
    await (await start({ otlp: { endpoint: receiver.endpoint } })).shutdown();
    await spans.stop();
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          /^queuescope: before startTelemetry\(\), a tracer provider \(.*TracerProvider.*\) had been .* Spans go where .*metricProducer\(\)\.$/,
        ),
        "QueuescopeWarning",
      ],
    ]);
  });

  it("says so, of metrics, which go another way", async () => {
    const capture = new MetricCapture("plain");
    const { url, shutdown } = await start();
    await pass();
    expect(await (await fetch(url as string)).text()).toContain(`queue_name="${name}"`);
    await shutdown();
    expect(metrics.getMeterProvider()).toBe(capture.provider);
    await capture.stop();
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          / a meter provider \(.*MeterProvider.*\) had been .* of the process to that meter provider\. /,
        ),
        "QueuescopeWarning",
      ],
    ]);
  });

  it("says nothing of metrics where it exports none", async () => {
    const capture = new MetricCapture("plain");
    await (await start({ prometheus: false })).shutdown();
    await capture.stop();
    expect(warn).not.toHaveBeenCalled();
  });

  it("says all of it at once", async () => {
    const captures = [new SpanCapture(), new MetricCapture("plain")];
    await (await start()).shutdown();
    for (const capture of captures) await capture.stop();
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(/ a tracer provider .* and a meter provider .* and stay\. /),
        "QueuescopeWarning",
      ],
    ]);
  });

  it("says nothing where there was none, also the second time", async () => {
    await (await start()).shutdown();
    await (await start()).shutdown();
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("tracing without a receiver of spans", () => {
  it.each([undefined, "none"])(
    "carries context and IDs, records nothing (OTEL_TRACES_EXPORTER=%s)",
    async (exporter) => {
      vi.stubEnv("OTEL_TRACES_EXPORTER", exporter);
      await start();
      const queue = instrument(new FifoQueue<string>(), { name });
      const key = Symbol("key");
      await context.with(ROOT_CONTEXT.setValue(key, "travels"), () => queue.put("a"));
      const delivery = await queue.receive();
      delivery.run(() => {
        expect(context.active().getValue(key)).toBe("travels");
        expect(currentCorrelationId()).toMatch(/^[0-9a-f]{32}$/);
        expect(trace.getActiveSpan()?.isRecording()).toBe(false);
      });
    },
  );
});

describe("sampling", () => {
  async function sent(
    sampling: number | undefined,
    put: (queue: FifoQueue<string>) => Promise<void>,
  ): Promise<number> {
    const telemetry = await start({ otlp: { endpoint: receiver.endpoint }, sampling });
    const queue = instrument(new FifoQueue<string>(), { name });
    for (let i = 0; i < 200; i++) await put(queue);
    await telemetry.shutdown();
    return receiver.spans.length;
  }

  const plainly = (queue: FifoQueue<string>) => queue.put("a");

  it("is of everything by default", async () => {
    expect(await sent(undefined, plainly)).toBe(200);
  });

  it("of 0 records nothing", async () => {
    expect(await sent(0, plainly)).toBe(0);
  });

  it("of a half records about that", async () => {
    const spans = await sent(0.5, plainly);
    // 200 tosses of a coin: beyond these, one in a billion runs.
    expect(spans).toBeGreaterThan(55);
    expect(spans).toBeLessThan(145);
  });

  it("keeps the decision of a trace that began elsewhere", async () => {
    const parent = {
      traceId: "a".repeat(32),
      spanId: "b".repeat(16),
      traceFlags: TraceFlags.SAMPLED,
      isRemote: true,
    };
    const spans = await sent(0, (queue) =>
      context.with(trace.setSpanContext(ROOT_CONTEXT, parent), () => queue.put("a")),
    );
    expect(spans).toBe(200);
    expect(receiver.spans[0]).toMatchObject({ traceId: parent.traceId, parentSpanId: parent.spanId });
  });
});

it("does not keep the process from ending", async () => {
  const printed = await runScript(`
    const { startTelemetry } = await import(${JSON.stringify(SDK)});
    const { url } = await startTelemetry({ serviceName: "s", prometheus: { port: 0 } });
    console.log((await fetch(url)).status);
  `);
  expect(printed.trim()).toBe("200");
});
