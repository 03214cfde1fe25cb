import type { Probe } from "../../contracts/index.js";
import { normalised } from "../../waits/labels.js";
import type { Wait } from "../../waits/wait.js";
import type { HottestItem, SlowestWait } from "../situation.js";
import { type TaskKnowledge, tellingWait } from "./tasks.js";

/** How many tasks in flight a look samples, the oldest first, and how many samples are kept. */
const MAX_TASKS = 8;
const MAX_SAMPLES = 240;
/** While nothing waits, one look in so many samples: what is usual needs no more. */
const CALM_STRIDE = 4;
/** Fewer samples than this tell nothing of shares. */
const MIN_SAMPLES = 6;

/** A task that was in flight at a look. */
interface Sample {
  readonly at: number;
  readonly correlationId: string;
  /** Tells deliveries of an ID apart. */
  readonly takenAt: number | undefined;
  readonly attempt: number;
  /** What it waited for; undefined where unknown. */
  readonly label: string | undefined;
}

/**
 * What the workers' time goes into, by samples: an item, or a wait, that is met at half of the looks takes half of the time. A look costs as
 * much as the description of a few tasks.
 */
export class TaskSamples {
  private readonly samples: Sample[] = [];
  private looks = 0;

  constructor(private readonly probe: Probe) {}

  look(now: number, isWaiting: boolean, knowledge: TaskKnowledge): void {
    const { probe, samples } = this;
    if (probe.inFlight === 0 || probe.tasks === undefined) return;
    if (!isWaiting && this.looks++ % CALM_STRIDE > 0) return;
    let count = 0;
    for (const { facts, takenAt } of probe.tasks()) {
      if (count++ === MAX_TASKS) break;
      const waits = knowledge.waitsOf(facts).map(
        ({ kind, label, state, forMs }): Wait => ({
          kind,
          label,
          state,
          since: now - forMs,
          stack: undefined,
        }),
      );
      const wait = tellingWait(waits);
      const label = wait === undefined ? undefined : normalised(wait.label);
      samples.push({ at: now, correlationId: facts.correlationId, takenAt, attempt: facts.attempt, label });
    }
    if (samples.length > MAX_SAMPLES) samples.splice(0, samples.length - MAX_SAMPLES);
  }

  /** The correlation ID that took most of the workers' time since then; undefined where there are too few samples. */
  hottest(since: number): HottestItem | undefined {
    const samples = this.samples.filter(({ at }) => at >= since);
    if (samples.length < MIN_SAMPLES) return undefined;
    const byId = groupBy(samples, ({ correlationId }) => correlationId);
    const [correlationId, most] = largest(byId);
    const deliveries = new Set(most.map(({ takenAt, attempt }) => takenAt ?? attempt)).size;
    const atOnce = Math.max(...[...groupBy(most, ({ at }) => at).values()].map(({ length }) => length));
    return {
      correlationId,
      share: most.length / samples.length,
      deliveries,
      attempt: Math.max(...most.map(({ attempt }) => attempt)),
      atOnce,
    };
  }

  /** What most tasks waited for since then, and the shares of the samples since and before; undefined where that is not known. */
  slowest(since: number): SlowestWait | undefined {
    const after = this.samples.filter(({ at }) => at >= since);
    const before = this.samples.filter(({ at }) => at < since);
    const known = after.filter(({ label }) => label !== undefined);
    if (known.length < MIN_SAMPLES / 2) return undefined;
    const [label, most] = largest(groupBy(known, (sample) => sample.label!));
    const earlier = before.filter((sample) => sample.label === label).length;
    return {
      label,
      share: most.length / after.length,
      usualShare: before.length < MIN_SAMPLES ? undefined : earlier / before.length,
      atOnce: Math.max(...[...groupBy(most, ({ at }) => at).values()].map(({ length }) => length)),
      looks: new Set(most.map(({ at }) => at)).size,
    };
  }
}

function groupBy<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

/** Of groups that there are. */
function largest<K, T>(groups: ReadonlyMap<K, readonly T[]>): [K, readonly T[]] {
  return [...groups].reduce((most, each) => (each[1].length > most[1].length ? each : most));
}
