import type { IncomingMessage } from "node:http";
import { checkFunction, checkKnown, checkNumber, type OptionNames } from "../../base/checks.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../../base/errors.js";

/** Options of the endpoint that Prometheus scrapes. */
export interface PrometheusOptions {
  /** The address to listen on; `0.0.0.0` or `::` lets other machines in. Default: `127.0.0.1`. */
  host?: string | undefined;
  /** 0 is any free one. Default: 9464. */
  port?: number | undefined;
  /**
   * Whether a request may read the metrics: all but `true` is answered with 401. It is waited for, at most 5 s; when it takes longer, throws
   * or rejects, the answer is 500. Default: all that can reach the port may read them.
   *
   * @example
   * authorize: (request) => request.headers.authorization === `Bearer ${process.env.SCRAPE_TOKEN}`
   */
  authorize?: ((request: IncomingMessage) => boolean | PromiseLike<boolean>) | undefined;
}

/** Options of {@link startTelemetry}. Only `undefined` stands for the default. */
export interface TelemetryOptions {
  /** `service.name` of everything that is emitted. */
  serviceName: string;
  /** Where Prometheus may scrape, or `false`. Default: `{ host: "127.0.0.1", port: 9464 }`. */
  prometheus?: PrometheusOptions | false | undefined;
  /**
   * Where to send spans, by OTLP over HTTP: the base URL, such as `http://127.0.0.1:4318`, without `/v1/traces`. Metrics go there
   * too, if `prometheus` is `false`. Default: what the environment's `OTEL_EXPORTER_OTLP_…` say; without them, nowhere.
   */
  otlp?: { endpoint: string } | undefined;
  /** Share of traces begun here that are recorded, 0 to 1; traces begun elsewhere keep their decision. Default: 1. */
  sampling?: number | undefined;
  /**
   * How long `shutdown` waits for what is left to be sent, in milliseconds; `Infinity`: as long as the exporters try. What takes longer
   * goes on as long as the process does. Default: 5 000.
   */
  shutdownTimeoutMs?: number | undefined;
  /**
   * Whether `npx queuescope` of the same user may look into the process, as with `inspect({ name: serviceName })` of `queuescope/inspect`. Default: what the
   * environment's `QUEUESCOPE_INSPECT` says; without that, no.
   */
  inspect?: boolean | undefined;
}

/** {@link TelemetryOptions}, checked and complete. */
export interface Settings {
  readonly serviceName: string;
  readonly prometheus: { host: string; port: number; authorize: PrometheusOptions["authorize"] } | undefined;
  readonly otlp: string | undefined;
  readonly sampling: number | undefined;
  readonly shutdownTimeoutMs: number;
  readonly inspect: boolean | undefined;
}

const OPTIONS: OptionNames<TelemetryOptions> = {
  serviceName: true,
  prometheus: true,
  otlp: true,
  sampling: true,
  shutdownTimeoutMs: true,
  inspect: true,
};

const PROMETHEUS: OptionNames<PrometheusOptions> = { host: true, port: true, authorize: true };

/** Throws an `InvalidOption…Error`. */
export function readOptions(options: unknown): Settings {
  if (typeof options !== "object" || options === null) {
    throw new InvalidOptionTypeError("options", options, "an object with at least a serviceName");
  }
  checkKnown(options, OPTIONS);
  const {
    serviceName,
    prometheus,
    otlp,
    sampling,
    shutdownTimeoutMs = 5_000,
    inspect,
  } = options as Record<keyof TelemetryOptions, unknown>;
  if (typeof serviceName !== "string" || serviceName === "") {
    throw new InvalidOptionTypeError("serviceName", serviceName, "a string with at least one character");
  }
  if (sampling !== undefined) {
    const allowed = "a number from 0 to 1";
    if (typeof sampling !== "number") throw new InvalidOptionTypeError("sampling", sampling, allowed);
    if (!(sampling >= 0 && sampling <= 1)) throw new InvalidOptionRangeError("sampling", sampling, allowed);
  }
  if (inspect !== undefined && typeof inspect !== "boolean")
    throw new InvalidOptionTypeError("inspect", inspect, "true or false");
  checkNumber("shutdownTimeoutMs", shutdownTimeoutMs, "milliseconds, from 0", (ms) => ms >= 0);
  return {
    serviceName,
    prometheus: readPrometheus(prometheus),
    otlp: readOtlp(otlp),
    sampling,
    shutdownTimeoutMs: shutdownTimeoutMs as number,
    inspect,
  };
}

function readPrometheus(prometheus: unknown): Settings["prometheus"] {
  if (prometheus === false) return undefined;
  if (prometheus !== undefined && (typeof prometheus !== "object" || prometheus === null)) {
    throw new InvalidOptionTypeError(
      "prometheus",
      prometheus,
      "an object { host, port, authorize } or false",
    );
  }
  checkKnown(prometheus, PROMETHEUS, "prometheus.");
  const { host = "127.0.0.1", port = 9464, authorize } = (prometheus ?? {}) as Record<string, unknown>;
  if (typeof host !== "string" || host === "") {
    throw new InvalidOptionTypeError("prometheus.host", host, "a host name or an address");
  }
  const allowed = "a whole number from 0 to 65535";
  if (typeof port !== "number") throw new InvalidOptionTypeError("prometheus.port", port, allowed);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InvalidOptionRangeError("prometheus.port", port, allowed);
  }
  checkFunction("prometheus.authorize", authorize);
  return { host, port, authorize: authorize as PrometheusOptions["authorize"] };
}

function readOtlp(otlp: unknown): string | undefined {
  if (otlp === undefined) return undefined;
  checkKnown(otlp, { endpoint: true }, "otlp.");
  const endpoint = (otlp as { endpoint?: unknown } | null)?.endpoint;
  if (typeof endpoint !== "string" || !/^https?:\/\/[^/]/.test(endpoint) || !URL.canParse(endpoint)) {
    throw new InvalidOptionTypeError("otlp.endpoint", endpoint, "an http:// or https:// URL");
  }
  const { href, search, hash } = new URL(endpoint);
  const base = href.replace(/\/+$/, "");
  if (search !== "" || hash !== "" || /\/v1\/(traces|metrics|logs)$/.test(base)) {
    throw new InvalidOptionRangeError("otlp.endpoint", endpoint, "a base URL, to which /v1/traces is added");
  }
  return base;
}
