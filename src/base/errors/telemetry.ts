import { shown } from "../shown.js";
import { defineError, MAX_MESSAGE } from "./define-error.js";

/** How much of a queue's name is quoted, in characters. */
const MAX_NAME = 255;

/**
 * The queue is instrumented already.
 *
 * @example
 * const jobs = instrument(new FifoQueue<string>(), { name: "jobs" });
 * try {
 *   instrument(jobs, { name: "other jobs" });
 * } catch (error) {
 *   if (error instanceof AlreadyInstrumentedError) console.log(error.message);
 * }
 */
export class AlreadyInstrumentedError extends defineError(
  "AlreadyInstrumentedError",
  "QUEUE_ALREADY_INSTRUMENTED",
) {
  constructor(
    /** The name under which it was instrumented first. */
    readonly firstName: string,
    /** The name that was asked for now. */
    readonly secondName: string,
  ) {
    super(
      `cannot instrument the queue as "${shown(secondName, MAX_NAME)}": it is instrumented as "${shown(firstName, MAX_NAME)}" (call uninstrument first)`,
    );
  }
}

/**
 * The object cannot be instrumented: no adapter knows it, it lacks a method that was named, or it is frozen.
 *
 * @example
 * try {
 *   instrument({ jobs: [] }, { name: "jobs" });
 * } catch (error) {
 *   if (error instanceof NotInstrumentableError) console.log(error.message);
 * }
 */
export class NotInstrumentableError extends defineError(
  "NotInstrumentableError",
  "QUEUE_NOT_INSTRUMENTABLE",
  TypeError,
) {
  constructor(
    /** What stands in the way. */
    readonly reason: string,
  ) {
    super(shown(`cannot instrument: ${reason}`, MAX_MESSAGE));
  }
}

/**
 * The object can't be watched: it is no instrumented queue, and no pool that works on one.
 *
 * @example
 * try {
 *   new Watchdog().watch(new FifoQueue<string>());
 * } catch (error) {
 *   if (error instanceof NotWatchableError) console.log(error.message);
 * }
 */
export class NotWatchableError extends defineError("NotWatchableError", "QUEUE_NOT_WATCHABLE", TypeError) {
  constructor() {
    super(
      "cannot watch: give the queue to instrument(queue, { name }) first, then it, or its pool, to the watchdog",
    );
  }
}

/**
 * A port that the telemetry should listen on is taken.
 *
 * @example
 * import { once } from "node:events";
 * import { type AddressInfo, createServer } from "node:net";
 *
 * const server = createServer().listen(0, "127.0.0.1");
 * await once(server, "listening");
 * const { port } = server.address() as AddressInfo;
 * await startTelemetry({ serviceName: "orders", prometheus: { port } }).catch((error) => {
 *   if (error instanceof PortInUseError) console.log(error.port);
 * });
 * server.close();
 */
export class PortInUseError extends defineError("PortInUseError", "QUEUE_PORT_IN_USE") {
  constructor(
    /** The option that names the port. */
    readonly option: string,
    readonly host: string,
    readonly port: number,
    /** `hint`: what to do in a setup that is known to lead to this. */
    options?: ErrorOptions & { readonly hint?: string | undefined },
  ) {
    const { hint, ...rest } = options ?? {};
    super(
      `${option}: port ${port} on ${host} is in use; choose another one, or 0 for any free port${hint === undefined ? "" : `; ${hint}`}`,
      rest,
    );
  }
}

/**
 * A registry of prom-client has other metrics by names of ours.
 *
 * @example
 * import { Gauge, Registry } from "prom-client";
 *
 * const registry = new Registry();
 * new Gauge({ name: "queue_depth", help: "Not ours", registers: [registry] });
 * try {
 *   registerWith(registry);
 * } catch (error) {
 *   if (error instanceof MetricNameTakenError) console.log(error.message);
 * }
 */
export class MetricNameTakenError extends defineError("MetricNameTakenError", "QUEUE_METRIC_NAME_TAKEN") {
  constructor(
    /** The names that are taken. */
    readonly names: readonly string[],
  ) {
    super(
      `the registry has other metrics by these names: ${names.join(", ")}; rename them, or give our metrics a registry of their own and serve Registry.merge([…])`,
    );
  }
}

/**
 * Telemetry was started a second time in one process.
 *
 * @example
 * const telemetry = await startTelemetry({ serviceName: "orders", prometheus: { port: 0 } });
 * await startTelemetry({ serviceName: "orders" }).catch((error) => {
 *   if (error instanceof TelemetryRunningError) console.log(error.message);
 * });
 * await telemetry.shutdown();
 */
export class TelemetryRunningError extends defineError("TelemetryRunningError", "QUEUE_TELEMETRY_RUNNING") {
  constructor() {
    super("telemetry runs already in this process: shut it down first");
  }
}

/**
 * An optional package that an entry of this package needs is not installed.
 *
 * @example
 * try {
 *   const telemetry = await startTelemetry({ serviceName: "orders", prometheus: { port: 0 } });
 *   await telemetry.shutdown();
 * } catch (error) {
 *   if (error instanceof MissingPeerError) console.log(error.message); // names the command that installs it
 * }
 */
export class MissingPeerError extends defineError("MissingPeerError", "QUEUE_MISSING_PEER") {
  constructor(
    /** What needs it: an entry of this package. */
    readonly entry: string,
    /** The packages that are missing. */
    readonly missing: readonly string[],
    /** The command that installs what is needed, for this version of Node. */
    readonly command: string,
    options?: ErrorOptions,
  ) {
    super(
      `${entry} needs ${missing.join(", ")}, which can't be found. Install what it needs: ${command}`,
      options,
    );
  }
}
