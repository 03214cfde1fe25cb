import { isObject, ownOf } from "./message.js";
import type { Mark } from "./oldest.js";
import type { Management } from "./options.js";

/** What the management API tells of a queue. What is undefined is unknown. */
export interface QueueFigures {
  readonly ready: number | undefined;
  readonly unacknowledged: number | undefined;
  readonly consumers: number | undefined;
  /** How many messages all consumers together may have in flight; undefined if one has no limit. */
  readonly prefetch: number | undefined;
  /** How many messages had been published when, oldest first. */
  readonly published: readonly Mark[];
  /** Deliveries, those of redelivered messages not counted. */
  readonly delivered: number | undefined;
  /** Epoch milliseconds. */
  readonly headStampedAt: number | undefined;
  readonly isFifo: boolean;
  readonly isDeadLettering: boolean | undefined;
  /** Why the broker takes no messages. */
  readonly alarm: string | undefined;
  /** The broker's clock, in epoch milliseconds; this process's, if they differ by less than can be told. */
  readonly now: number;
}

/** The broker tells its time in whole seconds. In milliseconds. */
const CLOCK_GRAIN_MS = 1_000;
/** Management keeps its counts of every so many seconds, for so many. */
const SAMPLE_EVERY_S = 5;
const MAX_SAMPLES_S = 600;
/** What is larger is a time in milliseconds, as from `Date.now()`: in seconds it would be the year 5138. */
const MAX_SECONDS = 1e11;

/** `sinceMs`: for how long the counts are to be told. Undefined: there is no such queue. Rejects when management doesn't answer, or with something else. */
export async function ask(
  management: Management,
  queue: string,
  sinceMs: number,
  signal: AbortSignal,
): Promise<QueueFigures | undefined> {
  const age = Math.min(MAX_SAMPLES_S, Math.ceil(sinceMs / 1_000 / SAMPLE_EVERY_S + 2) * SAMPLE_EVERY_S);
  const name = `${encodeURIComponent(management.vhost)}/${encodeURIComponent(queue)}`;
  const of = `/queues/${name}?msg_rates_age=${age}&msg_rates_incr=${SAMPLE_EVERY_S}`;
  const [answer, alarm] = await Promise.all([get(management, of, signal), alarmOf(management, signal)]);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error(`management answers ${answer.status}`);
  return figuresOf(answer.body, alarm, answer.now);
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly now: number;
}

async function get(management: Management, path: string, signal: AbortSignal): Promise<Answer> {
  const { url, authorization } = management;
  const response = await fetch(`${url}/api${path}`, { headers: { authorization }, signal });
  const text = await response.text();
  const at = Date.now();
  const stamped = Date.parse(response.headers.get("date") ?? "") + CLOCK_GRAIN_MS / 2;
  const now = Math.abs(stamped - at) > CLOCK_GRAIN_MS ? stamped : at;
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text), now };
}

/** An alarm of any node of the cluster blocks what publishes; consumers hear nothing of it. */
async function alarmOf(management: Management, signal: AbortSignal): Promise<string | undefined> {
  const { status, body } = await get(management, "/health/checks/alarms", signal);
  if (status !== 503) return undefined;
  const alarms = ownOf(body, "alarms");
  const [first]: unknown[] = Array.isArray(alarms) ? alarms : [];
  const resource = ownOf(first, "resource");
  return typeof resource === "string" ? `${resource.slice(0, 80)} alarm` : "alarm";
}

function figuresOf(queue: unknown, alarm: string | undefined, now: number): QueueFigures {
  const stats = ownOf(queue, "message_stats");
  const delivered = numberAt(stats, "deliver_get");
  const redelivered = numberAt(stats, "redeliver") ?? 0;
  const stamp = numberAt(queue, "head_message_timestamp");
  const declared = ownOf(queue, "arguments");
  const policy = ownOf(queue, "effective_policy_definition");
  const says = (argument: string, key: string) => ownOf(declared, argument) ?? ownOf(policy, key);
  const consumers = numberAt(queue, "consumers");
  return {
    ready: numberAt(queue, "messages_ready"),
    unacknowledged: numberAt(queue, "messages_unacknowledged"),
    consumers,
    prefetch: prefetchOf(ownOf(queue, "consumer_details"), consumers),
    published: marksOf(ownOf(ownOf(stats, "publish_details"), "samples")),
    delivered: delivered === undefined ? undefined : delivered - redelivered,
    headStampedAt: stamp === undefined ? undefined : stamp > MAX_SECONDS ? stamp : stamp * 1_000,
    // What is refused at a full queue is counted as published.
    isFifo:
      ownOf(declared, "x-max-priority") === undefined &&
      !String(says("x-overflow", "overflow")).startsWith("reject-publish") &&
      ownOf(queue, "type") !== "stream",
    isDeadLettering: isObject(queue)
      ? says("x-dead-letter-exchange", "dead-letter-exchange") !== undefined
      : undefined,
    alarm,
    now,
  };
}

/** The broker has the latest sample first. */
function marksOf(samples: unknown): Mark[] {
  if (!Array.isArray(samples)) return [];
  const marks = samples.flatMap((each: unknown) => {
    const at = numberAt(each, "timestamp");
    const published = numberAt(each, "sample");
    return at === undefined || published === undefined ? [] : { at, published };
  });
  return marks.sort((a, b) => a.at - b.at);
}

function prefetchOf(details: unknown, consumers: number | undefined): number | undefined {
  if (!Array.isArray(details) || details.length === 0 || details.length !== consumers) return undefined;
  let sum = 0;
  for (const each of details) {
    const count = numberAt(each, "prefetch_count");
    // 0 is no limit.
    if (count === undefined || count === 0) return undefined;
    sum += count;
  }
  return sum;
}

function numberAt(table: unknown, name: string): number | undefined {
  const value = ownOf(table, name);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
