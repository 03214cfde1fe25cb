import { systemClock } from "../base/clock.js";
import type { BrokerView } from "../contracts/index.js";

/** How far back it goes, in milliseconds, and in how many steps. */
const STEP_MS = 10_000;
const STEPS = 6;
/** From this attempt on a message came again and again. */
const MANY_ATTEMPTS = 3;
/** Messages that are remembered by their ID, at most, in each step. */
const MAX_REPEATED = 100;

/** What is counted. */
const KINDS = ["taken", "redelivered", "stale", "lockLost"] as const;
type Kind = (typeof KINDS)[number];

/** A message that came again. */
interface Repeated {
  /** The number of the attempt, as the broker tells it: some only tell that there was one before. */
  attempt: number;
  /** How often it came again here. */
  times: number;
}

/** What happened in one step. */
class Step {
  readonly counts: Record<Kind, number> = { taken: 0, redelivered: 0, stale: 0, lockLost: 0 };
  /** Messages that came again, by their ID. */
  readonly repeated = new Map<string, Repeated>();

  constructor(readonly startedAt: number) {}
}

/** Counts deliveries of the last minute. `now` is in monotonic milliseconds. */
export class Recent {
  private steps: Step[] = [];

  count(kind: Kind, now = systemClock.now()): void {
    this.current(now).counts[kind]++;
  }

  /** A message came again, for the so-manieth time at least. */
  repeated(correlationId: string, attempt: number, now: number): void {
    const { repeated } = this.current(now);
    const known = repeated.get(correlationId);
    if (known !== undefined) {
      known.attempt = Math.max(known.attempt, attempt);
      known.times++;
    } else if (repeated.size < MAX_REPEATED) repeated.set(correlationId, { attempt, times: 1 });
  }

  read(): BrokerView["recent"] {
    const now = systemClock.now();
    const steps = this.steps.filter(({ startedAt }) => now - startedAt < STEPS * STEP_MS);
    const sum = { taken: 0, redelivered: 0, stale: 0, lockLost: 0 };
    const again = new Map<string, Repeated>();
    for (const { counts, repeated } of steps) {
      for (const kind of KINDS) sum[kind] += counts[kind];
      for (const [id, { attempt, times }] of repeated) {
        const before = again.get(id);
        again.set(id, {
          attempt: Math.max(attempt, before?.attempt ?? 0),
          times: times + (before?.times ?? 0),
        });
      }
    }
    const all = Array.from(again, ([id, { attempt, times }]) => [id, Math.max(attempt, times + 1)] as const);
    const many = all.filter(([, attempt]) => attempt >= MANY_ATTEMPTS);
    const [most] = many.sort(([, a], [, b]) => b - a);
    return {
      ...sum,
      windowMs: steps[0] === undefined ? 0 : now - steps[0].startedAt,
      repeated: many.length,
      mostAttempts: most?.[1] ?? 0,
      correlationId: most?.[0],
    };
  }

  private current(now: number): Step {
    const last = this.steps.at(-1);
    if (last !== undefined && now - last.startedAt < STEP_MS) return last;
    const step = new Step(now);
    this.steps = [...this.steps.slice(1 - STEPS), step];
    return step;
  }
}

/** By tier, the longest wait of what was taken since that was last asked for, in milliseconds. */
export class LongestTakes {
  private readonly waits: (number | undefined)[] = [];

  note(tier: number, waitMs: number): void {
    this.waits[tier] = Math.max(this.waits[tier] ?? 0, waitMs);
  }

  longest(tier: number): number | undefined {
    const longest = this.waits[tier];
    this.waits[tier] = undefined;
    return longest;
  }
}
