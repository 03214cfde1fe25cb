import { checkKnown, checkNumber, type OptionNames } from "../base/checks.js";
import { InvalidOptionTypeError } from "../base/errors.js";
import type { BrokerAdapter } from "../contracts/index.js";
import { type Relation, readOptions, type Settings, type Sla, type Traces } from "../telemetry/options.js";

/** What is declared for one queue of a broker. */
export interface BrokerQueueOptions {
  /** What the queue is called in metrics and spans. Default: as the broker calls it. */
  name?: string | undefined;
  /** Names for the priorities of messages, such as `{ urgent: 1 }`, where the engine has them. A priority without a name is a tier called by its number. */
  tiers?: Readonly<Record<string, number>> | undefined;
  /** How long messages may wait, by tier; `default` stands for every tier that has no entry. Default: no SLA. */
  sla?: Readonly<Record<string, Sla>> | undefined;
}

/** Options of `instrument` for the client of a broker. Only `undefined` stands for the default. */
export interface BrokerOptions<C extends object = object> extends BrokerQueueOptions {
  /** Such as `bullmq()` from `queuescope/bullmq`, or `amqplib()` from `queuescope/amqplib`. */
  adapter: BrokerAdapter<C>;
  /**
   * Where one client serves many queues, what is declared for each, by the broker's name of it: `{ orders: { sla }, mails: {} }`. Messages of
   * queues that aren't declared count as those of the queue `other`.
   */
  queues?: Readonly<Record<string, BrokerQueueOptions>> | undefined;
  /** How often the broker is asked for depth, age and consumers. Default: every 15,000 ms; `false`: never. */
  poll?: false | { everyMs?: number | undefined } | undefined;
  /** Default: `always`. */
  traces?: Traces | undefined;
  /** Default: `link`. */
  relation?: Relation | undefined;
  /** Default: `always`. */
  metrics?: "always" | "never" | undefined;
}

const QUEUE_OPTIONS: OptionNames<BrokerQueueOptions> = { name: true, tiers: true, sla: true };
const OPTIONS: OptionNames<BrokerOptions> = {
  ...QUEUE_OPTIONS,
  adapter: true,
  queues: true,
  poll: true,
  traces: true,
  relation: true,
  metrics: true,
};

const POLL_EVERY_MS = 15_000;

/** The queue of all messages whose own is not declared. */
export const OTHER = "other";

/** {@link BrokerOptions}, checked and complete. */
export interface BrokerSettings {
  /** By the broker's name of the queue. */
  readonly queues: ReadonlyMap<string, Settings>;
  readonly other: Settings;
  /** In milliseconds; undefined: the broker is not asked. */
  readonly pollEveryMs: number | undefined;
}

/** Throws an `InvalidOption…Error` that names option, value and what is allowed. `only` is the one queue that the client is for. */
export function readBrokerOptions(
  options: BrokerOptions,
  adapter: BrokerAdapter,
  only: string | undefined,
): BrokerSettings {
  checkKnown(options, OPTIONS);
  const { queues, traces, relation, metrics } = options;
  const settingsOf = (path: string, queue: string, own: BrokerQueueOptions): Settings => {
    checkKnown(own, QUEUE_OPTIONS, path);
    const { name = queue, tiers, sla } = own;
    const given = { name, tiers, sla, traces, relation, metrics };
    const settings = readOptions(given, {
      tiers: ["default"],
      priorities: adapter.priorities,
      asyncContext: "worker",
      relation: "link",
    });
    for (const [tier, { completeMs }] of settings.sla) {
      const option = `${path}sla.${tier}.completeMs`;
      mustBeLeftOut(option, completeMs, "left out: a broker doesn't tell when a message first came in");
    }
    return settings;
  };
  const known = new Map<string, Settings>();
  if (only !== undefined) {
    mustBeLeftOut("queues", queues, `left out: this client has one queue, "${only}"`);
    const { name, tiers, sla } = options;
    known.set(only, settingsOf("", only, { name, tiers, sla }));
  } else {
    for (const option of ["name", "tiers", "sla"] as const) {
      mustBeLeftOut(option, options[option], "left out: this client serves many queues; say it in queues");
    }
    if (queues !== undefined && (typeof queues !== "object" || queues === null || Array.isArray(queues))) {
      throw new InvalidOptionTypeError("queues", queues, "an object of queue names and options");
    }
    for (const [queue, own] of Object.entries(queues ?? {})) {
      if (typeof own !== "object" || own === null) {
        throw new InvalidOptionTypeError(`queues.${queue}`, own, "an object such as { sla }");
      }
      known.set(queue, settingsOf(`queues.${queue}.`, queue, own));
    }
  }
  return { queues: known, other: settingsOf("", OTHER, {}), pollEveryMs: pollEveryMsOf(options.poll) };
}

function mustBeLeftOut(option: string, value: unknown, allowed: string): void {
  if (value !== undefined) throw new InvalidOptionTypeError(option, value, allowed);
}

function pollEveryMsOf(poll: unknown): number | undefined {
  if (poll === undefined) return POLL_EVERY_MS;
  if (poll === false) return undefined;
  if (typeof poll !== "object" || poll === null) {
    throw new InvalidOptionTypeError("poll", poll, "false or { everyMs }");
  }
  checkKnown(poll, { everyMs: true }, "poll.");
  const { everyMs } = poll as { everyMs?: unknown };
  if (everyMs === undefined) return POLL_EVERY_MS;
  return checkNumber("poll.everyMs", everyMs, "milliseconds, from 100", (n) => n >= 100 && n < 2 ** 31);
}
