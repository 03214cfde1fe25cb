import { systemClock } from "../base/clock.js";
import { errorLine } from "../base/error-text.js";
import { realClearTimeout, realSetTimeout, realWallNow } from "../base/real-time.js";
import type { BrokerAdapter, BrokerFacts, Outage } from "../contracts/index.js";
import { correlation } from "../telemetry/context/correlation.js";
import { untraced } from "./carrier.js";

/** How much earlier or later than planned the broker is asked, so that processes don't all ask at once. */
const JITTER = 0.1;
/** How long an answer may take, in milliseconds: as long as the interval, within these. */
const MIN_ANSWER_MS = 1_000;
const MAX_ANSWER_MS = 5_000;
/** After so many questions without an answer the broker counts as away: one may have been lost by a process that had no CPU. */
const MIN_UNANSWERED = 2;
/** After so many intervals without an answer, what is known is too old. */
const MAX_INTERVALS = 3;

/** By how many answers it is told how the depth changes. */
const MIN_DEPTHS = 3;
const MAX_DEPTHS = 6;

/** For how long it is known that the broker had not answered, in milliseconds. */
const REMEMBERED_MS = 60_000;
/** Of an error, in characters. */
const MAX_REASON = 200;

/** Asks the broker about one queue. */
export type Ask = (signal: AbortSignal) => Promise<BrokerFacts>;

/** One client's share in a {@link Polled}. */
export interface Asker {
  readonly ask: Ask;
  readonly everyMs: number;
  /** Is told what an answer has failed with. */
  readonly fault: (error: unknown) => void;
}

/** Of a broker of which nothing is known. */
export const NOTHING: BrokerFacts = {};

/** What is asked, by adapter and queue: clients that share an adapter share a poller. Those of others may mean another broker. */
const polled = new WeakMap<BrokerAdapter, Map<string, Polled>>();

/** From now on the broker is asked about the queue. */
export function poll(adapter: BrokerAdapter, queue: string, asker: Asker): Polled {
  const queues = polled.get(adapter) ?? new Map<string, Polled>();
  polled.set(adapter, queues);
  let known = queues.get(queue);
  if (known === undefined) {
    known = new Polled(() => queues.delete(queue));
    queues.set(queue, known);
  }
  known.join(asker);
  return known;
}

/**
 * What a broker last said of a queue. It is asked by one client at a time, never twice at once, by a timer that holds no process, and
 * outside any trace. What is unknown, or was said too long ago, is absent.
 */
export class Polled {
  private facts = NOTHING;
  /** When that was, in monotonic milliseconds, and by how much the wall clock of this process was ahead of the broker's then. */
  private saidAt = Number.NEGATIVE_INFINITY;
  private skewMs: number | undefined = undefined;
  /** Since when it has not answered, in monotonic milliseconds, and what the last question failed with; until when, where it does again. */
  private silence:
    | { readonly since: number; reason: string; count: number; until: number | undefined }
    | undefined = undefined;
  /** What it answered lately, the oldest first. */
  private depths: { readonly at: number; readonly depth: number }[] = [];
  private readonly askers = new Set<Asker>();
  private timer: NodeJS.Timeout | undefined = undefined;
  private asking: AbortController | undefined = undefined;

  constructor(private readonly over: () => void) {}

  join(asker: Asker): void {
    this.askers.add(asker);
    if (this.askers.size === 1) void this.ask();
  }

  leave(asker: Asker): void {
    this.askers.delete(asker);
    if (this.askers.size > 0) return;
    realClearTimeout(this.timer);
    this.asking?.abort();
    this.over();
  }

  /** What is known now. */
  get now(): BrokerFacts {
    return systemClock.now() - this.saidAt > MAX_INTERVALS * this.everyMs ? NOTHING : this.facts;
  }

  /** This process's wall clock minus the broker's, in milliseconds; undefined where that is not known. */
  get skew(): number | undefined {
    return this.now === NOTHING ? undefined : this.skewMs;
  }

  /** That the broker does not answer, or did not a short while ago. */
  get outage(): Outage | undefined {
    const { silence } = this;
    if (silence === undefined || silence.count < MIN_UNANSWERED) return undefined;
    const now = systemClock.now();
    const { since, reason, until } = silence;
    const endedMsAgo = until === undefined ? undefined : now - until;
    if (endedMsAgo !== undefined && endedMsAgo > REMEMBERED_MS) return undefined;
    return { forMs: (until ?? now) - since, endedMsAgo, reason };
  }

  /** How much deeper it became each second, over how long. */
  get growth(): { readonly perSecond: number; readonly overMs: number } | undefined {
    const { depths } = this;
    const [first] = depths;
    const last = depths.at(-1);
    if (depths.length < MIN_DEPTHS || this.now === NOTHING) return undefined;
    const overMs = last!.at - first!.at;
    return { perSecond: ((last!.depth - first!.depth) * 1_000) / overMs, overMs };
  }

  /** An instant of the broker's clock as one of this process's monotonic clock. */
  monotonic(at: number): number {
    return systemClock.now() - Math.max(0, realWallNow() - (this.skewMs ?? 0) - at);
  }

  private get everyMs(): number {
    let everyMs = Number.POSITIVE_INFINITY;
    for (const asker of this.askers) everyMs = Math.min(everyMs, asker.everyMs);
    return everyMs;
  }

  private async ask(): Promise<void> {
    const [asker] = this.askers;
    if (asker === undefined) return;
    const { everyMs } = this;
    const asking = new AbortController();
    this.asking = asking;
    const limit = realSetTimeout(
      () => asking.abort(new Error("the broker has not answered in time")),
      Math.min(MAX_ANSWER_MS, Math.max(MIN_ANSWER_MS, everyMs)),
    );
    limit.unref?.();
    try {
      const before = realWallNow();
      const facts = await Promise.race([outside(() => asker.ask(asking.signal)), aborted(asking.signal)]);
      this.learn(facts, (before + realWallNow()) / 2);
    } catch (error) {
      this.unanswered(error);
      if (this.askers.has(asker)) asker.fault(error);
    } finally {
      realClearTimeout(limit);
      // Whatever still waits for the signal is over.
      asking.abort();
      this.plan(everyMs);
    }
  }

  private unanswered(error: unknown): void {
    const reason = errorLine(error, MAX_REASON);
    if (this.silence === undefined || this.silence.until !== undefined) {
      this.silence = { since: systemClock.now(), reason, count: 1, until: undefined };
    } else {
      this.silence.reason = reason;
      this.silence.count++;
    }
  }

  private learn(facts: BrokerFacts, askedAt: number): void {
    if (this.silence !== undefined) this.silence.until ??= systemClock.now();
    const { depth } = facts;
    this.facts = facts;
    this.saidAt = systemClock.now();
    if (depth !== undefined) this.depths = [...this.depths.slice(1 - MAX_DEPTHS), { at: this.saidAt, depth }];
    if (facts.brokerNow !== undefined) this.skewMs = askedAt - facts.brokerNow;
  }

  private plan(everyMs: number): void {
    if (this.askers.size === 0) return;
    realClearTimeout(this.timer);
    this.timer = realSetTimeout(() => void this.ask(), everyMs * (1 - JITTER + 2 * JITTER * Math.random()));
    this.timer.unref?.();
  }
}

/** In no trace and no task: the poller may have been started by a request. */
async function outside<R>(fn: () => Promise<R>): Promise<R> {
  return await correlation.run(undefined as never, () => untraced(fn));
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
