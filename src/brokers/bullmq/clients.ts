import { NotInstrumentableError } from "../../base/errors.js";

/** Options of a job, as far as the carrier goes. */
export interface JobOptions {
  readonly telemetry?: { readonly metadata?: unknown; readonly omitContext?: unknown } | undefined;
  readonly delay?: unknown;
  readonly priority?: unknown;
}

/** A job, as far as it is read. */
export interface Job {
  readonly id?: string | undefined;
  readonly name: string;
  readonly opts: JobOptions;
  readonly timestamp: number;
  readonly processedOn?: number | undefined;
  readonly finishedOn?: number | undefined;
  readonly priority?: number | undefined;
  readonly attemptsStarted?: number | undefined;
  readonly attemptsMade: number;
  readonly stalledCounter?: number | undefined;
  readonly repeatJobKey?: string | undefined;
}

/** What all three classes of BullMQ 5 and 6 have in common, described by shape: the types of the two differ. */
export interface BullClient {
  readonly opts: object;
  close(...args: never[]): Promise<unknown>;
}

/** The same, with what is read of it. */
export interface Client extends BullClient {
  readonly name?: string | undefined;
  readonly opts: {
    readonly prefix?: string | undefined;
    readonly telemetry?: object | undefined;
    readonly limiter?: { readonly max?: unknown } | undefined;
    readonly defaultJobOptions?: JobOptions | undefined;
  };
  /** The telemetry of a flow producer. */
  readonly telemetry?: object | undefined;
  /** The children of a worker whose processor is a file. */
  readonly childPool?: object | undefined;
  readonly closing?: unknown;
  /** What a worker's jobs are handled by; absent where they are taken by hand. */
  readonly processFn?: unknown;
  /** How many jobs a worker may have at a time. */
  readonly concurrency?: number | undefined;
}

export type Kind = "queue" | "worker" | "flow";

/** Throws `NotInstrumentableError` for what is none of the three. */
export function kindOf(client: object): Kind {
  const has = (...methods: string[]) =>
    methods.every((method) => typeof (client as Record<string, unknown>)[method] === "function");
  const isNamed = typeof (client as Client).name === "string";
  if (isNamed && has("processJob", "callProcessJob", "getNextJob", "emit")) return "worker";
  if (isNamed && has("add", "addBulk", "getJobCounts")) return "queue";
  if (!isNamed && has("add", "addBulk", "getFlow")) return "flow";
  throw new NotInstrumentableError("the object is no Queue, Worker or FlowProducer of BullMQ 5 or 6");
}

/**
 * Whether another instrumentation makes the spans: BullMQ's own slot is taken, as by bullmq-otel, or a method was wrapped, as
 * OpenTelemetry's instrumentations do it.
 */
export function isTracedElsewhere(client: Client, method: "add" | "callProcessJob"): boolean {
  if (client.opts?.telemetry || client.telemetry) return true;
  return (client as unknown as Record<string, { __wrapped?: unknown }>)[method]?.__wrapped === true;
}
