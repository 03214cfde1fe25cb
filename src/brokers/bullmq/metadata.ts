import type { ReadHeader, Sending } from "../../contracts/index.js";
import { SENT_AT } from "../carrier.js";
import type { JobOptions } from "./clients.js";

/**
 * The carrier is in the public job option `telemetry.metadata`, as JSON, where BullMQ's own telemetry has it, too. Ours is under
 * 12,000 characters, whatever is in it; of longer ones nothing is parsed.
 */
const MAX_METADATA = 16_384;

/** Says of a job that it waits for others of its flow: since when it could be taken is then unknown. BullMQ's own fields don't tell. */
const PARENT = "queuescope-flow-parent";

/** Whether the options leave room for a carrier: there is none yet, and none is unwanted. */
function hasRoom(options: JobOptions | undefined): boolean {
  const { metadata, omitContext } = options?.telemetry ?? {};
  return !metadata && !omitContext;
}

/**
 * A copy of the options that has the carrier; the same options where there is no carrier or no room for one. Spread instead of assigned,
 * they make BullMQ's constructor of jobs eight times as slow.
 */
export function withCarrier<O extends JobOptions>(
  options: O | undefined,
  defaults: JobOptions | undefined,
  { carrier }: Sending,
  isParent = false,
): O | undefined {
  if (!hasRoom(options) || (options?.telemetry === undefined && !hasRoom(defaults))) return options;
  const telemetry = telemetryOf(carrier, isParent);
  if (telemetry === undefined) return options;
  return Object.assign(Object.assign({}, options), { telemetry }) as unknown as O;
}

/** Undefined for an empty carrier. */
function telemetryOf(carrier: Sending["carrier"], isParent: boolean): JobOptions["telemetry"] {
  if (!isParent && isSentAtOnly(carrier)) return SENT_AT in carrier ? NO_CONTEXT : undefined;
  return { metadata: JSON.stringify(isParent ? { ...carrier, [PARENT]: "1" } : carrier) };
}

/** BullMQ takes 24 µs to store and read any metadata, and has the time of sending itself. The worker is told that there was no context. */
const NO_CONTEXT = { omitContext: true };

function isSentAtOnly(carrier: Readonly<Record<string, string>>): boolean {
  for (const name in carrier) if (name !== SENT_AT) return false;
  return true;
}

/** Undefined for an empty carrier. */
export function textOf(carrier: Readonly<Record<string, string>>): string | undefined {
  for (const _ in carrier) return JSON.stringify(carrier);
  return undefined;
}

/** Whether it was sent as the parent of other jobs. */
export function isFlowParent(metadata: unknown): boolean {
  // A look at the text is enough, and spares parsing it twice.
  return typeof metadata === "string" && metadata.length <= MAX_METADATA && metadata.includes(`"${PARENT}"`);
}

/** Reads the carrier of a job. Throws at a header that is asked for where the whole can't be a carrier. */
export function readerOf(metadata: unknown): ReadHeader {
  if (metadata === undefined || metadata === null || metadata === "") return nothing;
  let headers: Readonly<Record<string, unknown>> | undefined;
  return (name) => {
    headers ??= parsed(metadata);
    return Object.hasOwn(headers, name) ? headers[name] : undefined;
  };
}

const nothing: ReadHeader = () => undefined;

function parsed(metadata: unknown): Readonly<Record<string, unknown>> {
  if (typeof metadata !== "string") throw new TypeError("the telemetry metadata of the job is no text");
  if (metadata.length > MAX_METADATA) throw new RangeError("the telemetry metadata of the job is too long");
  const headers: unknown = JSON.parse(metadata);
  if (typeof headers === "object" && headers !== null && !Array.isArray(headers)) {
    return headers as Readonly<Record<string, unknown>>;
  }
  throw new TypeError("the telemetry metadata of the job is no JSON object");
}
