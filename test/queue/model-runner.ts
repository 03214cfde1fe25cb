import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import fc from "fast-check";
import { PutManyAbortedError } from "../../src/base/errors.js";
import { type DropReason, OBSERVE, PROBE, type Probe } from "../../src/contracts/index.js";
import { Delivery } from "../../src/queue/delivery.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { type Burden, Model, type ModelOptions, type Outcome, type Wait, type Wanted } from "./model.js";
import { Recorder } from "./recorder.js";

/** A queue to runAgainstModel with, and the numbers that its priorities come from. */
export interface Scenario extends ModelOptions {
  readonly hasEvictWhen: boolean;
  readonly priorities: "few" | "many" | "fractions";
  readonly observed: boolean;
}

interface PutStep {
  /** Any whole number; the scenario makes a priority or a tier of it. */
  readonly urgency: number | undefined;
  readonly deadlineIn: number | undefined;
  readonly correlationId: string | undefined;
}

export type Step =
  | ({ readonly do: "put" } & PutStep & Wait)
  | ({ readonly do: "putMany"; readonly count: number } & PutStep & Wait)
  | ({ readonly do: "tryPut" } & PutStep)
  | ({ readonly do: "burst"; readonly count: number } & PutStep)
  | ({ readonly do: "pull"; readonly wanted: Wanted; readonly max: number } & Wait)
  | { readonly do: "tryGet" | "peek" | "taskDone" }
  | ({ readonly do: "join" } & Wait)
  | { readonly do: "settle"; readonly which: number; readonly how: "done" | "fail" }
  | { readonly do: "retry"; readonly which: number; readonly delayMs: number }
  | { readonly do: "capacity"; readonly capacity: number }
  | { readonly do: "evictWhen"; readonly holds: boolean }
  | { readonly do: "abort"; readonly signal: number }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "observe"; readonly on: boolean }
  | { readonly do: "shutdown"; readonly immediate: boolean };

const SIGNALS = 3;

/** All real calls as the priority queue has them; the others are given no priorities. */
type AnyQueue = PriorityQueue<number>;

/** Plays a script on a queue and on its model, and compares them after every step. */
export class ModelRunner {
  private readonly clock = new FakeClock();
  private readonly model: Model;
  private readonly queue: AnyQueue;
  private readonly probe: Probe;
  private readonly drops: { id: number; reason: DropReason }[] = [];
  private readonly outcomes = new Map<number, Outcome>();
  private readonly deliveries = new Map<number, Delivery<number>>();
  private readonly controllers = Array.from({ length: SIGNALS }, () => new AbortController());
  private readonly items: AsyncIterator<number>;
  private readonly handed: AsyncIterator<Delivery<number>>;
  private recorder: Recorder | undefined;
  /** What the recorder's books don't show, because it was there before the recorder was. */
  private before = { stock: 0, puts: 0, pulls: 0 };
  private nextCall = 0;
  private nextId = 1;

  constructor(private readonly scenario: Scenario) {
    this.model = new Model(scenario, this.clock.now());
    this.queue = this.make();
    this.probe = this.queue[PROBE];
    this.items = this.queue[Symbol.asyncIterator]();
    this.handed = this.queue.deliveries();
    if (scenario.observed) this.observe();
  }

  async play(script: readonly Step[]): Promise<void> {
    for (const step of script) {
      this.perform(step);
      await settled();
      this.compare();
    }
    await this.finish();
  }

  /** Whatever happened: after a shutdown all that is left comes out, and no caller waits any more. */
  private async finish(): Promise<void> {
    this.perform({ do: "shutdown", immediate: false });
    this.perform({ do: "advance", ms: 1_000_000 });
    await settled();
    this.compare();
    while (this.model.items.length > 0) {
      this.perform({ do: "tryGet" });
      await settled();
      this.compare();
    }
    while (this.model.inFlight.length > 0) this.perform({ do: "settle", which: 0, how: "done" });
    while (this.model.undone > 0) this.perform({ do: "taskDone" });
    await settled();
    this.compare();
    assert.equal(this.model.waiters.length, 0, "no caller waits");
    assert.equal(this.model.unfinished, 0, "nothing is unfinished");
    assert.equal(this.clock.pending, 0, "no timer is left");
    await this.queue.join();
  }

  private make(): AnyQueue {
    const { kind, capacity, whenFull, hasEvictWhen, tiers, agingMs } = this.scenario;
    const options = {
      capacity,
      whenFull,
      clock: this.clock,
      evictWhen: hasEvictWhen ? () => this.model.evictHolds : undefined,
      onDrop: (id: number, reason: DropReason) => void this.drops.push({ id, reason }),
    };
    if (kind === "fifo") return new FifoQueue<number>(options) as unknown as AnyQueue;
    if (kind === "lifo") return new LifoQueue<number>(options) as unknown as AnyQueue;
    return new PriorityQueue<number>({
      ...options,
      order: kind,
      agingMs: agingMs > 0 ? agingMs : undefined,
      tiers:
        tiers.length === 0
          ? undefined
          : Object.fromEntries(tiers.map(({ name, priority }) => [name, priority])),
    });
  }

  private perform(step: Step): void {
    const { model, queue, clock } = this;
    switch (step.do) {
      case "put":
      case "putMany": {
        const ids = Array.from({ length: step.do === "put" ? 1 : step.count }, () => this.nextId++);
        const { burden, options } = this.burdenOf(step);
        const wait = this.waitOf(step);
        const many = step.do === "putMany";
        model.put(this.nextCall, ids, many, burden, step);
        this.call(() =>
          many ? queue.putMany(ids, { ...options, ...wait }) : queue.put(ids[0]!, { ...options, ...wait }),
        );
        break;
      }
      case "tryPut":
        this.tryPut(step);
        break;
      case "burst":
        for (let i = 0; i < step.count; i++) this.tryPut({ ...step, urgency: (step.urgency ?? 0) + i });
        break;
      case "pull":
        model.pull(this.nextCall, step.wanted, step.max, step.wanted.startsWith("next") ? {} : step);
        this.call(() => this.pull(step.wanted, step.max, this.waitOf(step)));
        break;
      case "tryGet":
        model.tryGet(this.nextCall);
        this.callSync(() => queue.tryGet());
        break;
      case "peek":
        model.peek(this.nextCall);
        this.callSync(() => queue.peek());
        break;
      case "taskDone":
        model.taskDone(this.nextCall);
        this.callSync(() => queue.taskDone());
        break;
      case "join":
        model.join(this.nextCall, step);
        this.call(() => queue.join(this.waitOf(step)));
        break;
      case "settle":
      case "retry": {
        if (model.inFlight.length === 0) break;
        const index = step.which % model.inFlight.length;
        const { id } = model.inFlight[index]!;
        const delivery = this.deliveries.get(id)!;
        this.deliveries.delete(id);
        if (step.do === "settle") {
          model.settle(index);
          delivery[step.how]();
        } else {
          model.retry(index, step.delayMs);
          delivery.retry({ delayMs: step.delayMs });
        }
        break;
      }
      case "capacity":
        model.setCapacity(step.capacity);
        queue.capacity = step.capacity;
        break;
      case "evictWhen":
        model.evictHolds = step.holds || !this.scenario.hasEvictWhen;
        break;
      case "abort":
        model.abort(step.signal);
        this.controllers[step.signal]!.abort();
        this.controllers[step.signal] = new AbortController();
        break;
      case "advance":
        model.advance(step.ms);
        clock.advance(step.ms);
        break;
      case "observe":
        if (step.on) this.observe();
        else this.ignore();
        break;
      case "shutdown":
        model.shutdown(step.immediate);
        queue.shutdown({ immediate: step.immediate });
        break;
    }
  }

  private tryPut(step: PutStep): void {
    const id = this.nextId++;
    const { burden, options } = this.burdenOf(step);
    this.model.tryPut(this.nextCall, id, burden);
    this.callSync(() => this.queue.tryPut(id, options));
  }

  private pull(wanted: Wanted, max: number, wait: ReturnType<ModelRunner["waitOf"]>): Promise<unknown> {
    if (wanted === "getMany") return this.queue.getMany(max, wait);
    if (wanted === "next") return this.items.next();
    if (wanted === "next delivery") return this.handed.next();
    return this.queue[wanted](wait);
  }

  /** What a step says about an item, for the model and for the queue. */
  private burdenOf({ urgency, deadlineIn, correlationId }: PutStep) {
    const { kind, tiers, priorities } = this.scenario;
    let [priority, tier] = [0, 0];
    let place: { priority?: number; tier?: string } = {};
    if (kind !== "fifo" && kind !== "lifo") {
      if (tiers.length > 0) {
        tier = urgency === undefined ? tiers.length - 1 : Math.abs(urgency) % tiers.length;
        priority = tiers[tier]!.priority;
        if (urgency !== undefined) place = urgency % 2 === 0 ? { tier: tiers[tier]!.name } : { priority };
      } else if (urgency !== undefined) {
        priority = { few: Math.abs(urgency) % 4, many: urgency, fractions: urgency / 8 }[priorities];
        place = { priority };
      }
    }
    const burden: Burden = { priority, tier, deadlineIn, correlationId };
    const deadline = deadlineIn === undefined ? undefined : this.clock.wallNow() + deadlineIn;
    return { burden, options: { ...place, deadline, correlationId } };
  }

  private waitOf({ signal, timeoutMs }: Wait) {
    return { timeoutMs, signal: signal === undefined ? undefined : this.controllers[signal]!.signal };
  }

  private call(fn: () => Promise<unknown>): void {
    const call = this.nextCall++;
    const reasons = this.controllers.map(({ signal }) => signal);
    fn().then(
      (value) => this.outcomes.set(call, this.inWords(value)),
      (error) => this.outcomes.set(call, errorInWords(error, reasons)),
    );
  }

  private callSync(fn: () => unknown): void {
    const call = this.nextCall++;
    try {
      this.outcomes.set(call, this.inWords(fn()));
    } catch (error) {
      this.outcomes.set(call, errorInWords(error, []));
    }
  }

  private inWords(value: unknown): Outcome {
    if (value instanceof Delivery) {
      const { item, attempt, priority, tier, waitMs, enqueuedAt } = value as Delivery<number>;
      assert.ok(!this.deliveries.has(item), `${item} is delivered twice`);
      this.deliveries.set(item, value as Delivery<number>);
      return { ok: { item, attempt, priority, tier, waitMs, enqueuedAt } };
    }
    if (typeof value === "object" && value !== null && "done" in value) {
      const result = value as IteratorResult<unknown>;
      return result.done ? { ok: "end" } : this.inWords(result.value);
    }
    return { ok: value };
  }

  private observe(): void {
    if (this.recorder !== undefined) return;
    this.recorder = new Recorder();
    this.queue[OBSERVE](this.recorder);
    this.model.track();
    this.before = { stock: 0, puts: 0, pulls: 0 };
    this.before = this.books(this.recorder);
  }

  private ignore(): void {
    this.recorder = undefined;
    this.queue[OBSERVE](undefined);
  }

  /** Zero throughout, if the recorder was told of everything exactly once. */
  private books(recorder: Recorder) {
    const { model } = this;
    const halfIn = model.putters.reduce((sum, { accepted }) => sum + accepted, 0);
    const cameIn = recorder.accepted + halfIn + recorder.refused + recorder.retries;
    const isThere = model.items.length + model.delayed.length;
    return {
      stock: cameIn - recorder.takes - recorder.drops - isThere - this.before.stock,
      puts: recorder.putsBegun - recorder.putsOver - model.putters.length - this.before.puts,
      pulls: recorder.pullsBegun - recorder.pullsOver - model.getters.length - this.before.pulls,
    };
  }

  private compare(): void {
    const { model, queue, probe, scenario } = this;
    assert.deepEqual(this.outcomes, model.outcomes);
    assert.deepEqual(sorted(this.drops), sorted(model.drops));
    this.outcomes.clear();
    model.outcomes.clear();
    this.drops.length = 0;
    model.drops.length = 0;
    const tiers = Math.max(scenario.tiers.length, 1);
    const numbers = (of: (tier: number) => unknown) => Array.from({ length: tiers }, (_, tier) => of(tier));
    assert.deepEqual(
      {
        size: queue.size,
        empty: queue.empty,
        full: queue.full,
        capacity: queue.capacity,
        delayed: queue.delayed,
        probed: [probe.capacity, probe.delayed, probe.inFlight],
        depths: numbers((tier) => probe.depth(tier)),
        oldest: numbers((tier) => probe.oldestAt(tier)),
        waiting: [probe.waitingPuts, probe.waitingGets],
        timers: this.clock.pending,
        listeners: this.controllers.map(({ signal }) => getEventListeners(signal, "abort").length),
      },
      {
        size: model.items.length,
        empty: model.items.length === 0,
        full: model.items.length >= model.capacity,
        capacity: model.capacity,
        delayed: model.delayed.length,
        probed: [model.capacity, model.delayed.length, model.inFlight.length],
        depths: numbers((tier) => model.depth(tier)),
        oldest: numbers((tier) => model.oldestAt(tier)),
        waiting: [model.putters.length, model.getters.length],
        timers: Number(model.delayed.length > 0 || model.waiters.some(({ limit }) => limit !== undefined)),
        listeners: this.controllers.map((_, i) => Number(model.waiters.some(({ signal }) => signal === i))),
      },
    );
    if (this.recorder === undefined) return;
    assert.deepEqual(this.books(this.recorder), { stock: 0, puts: 0, pulls: 0 });
    assert.equal(this.recorder.faults, 0);
  }
}

/** Everything that was decided has reached its caller; promises only, no timer. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await undefined;
}

function errorInWords(error: unknown, signals: readonly AbortSignal[]): Outcome {
  const { code, item, items, accepted } = error as Exclude<Outcome, { ok: unknown }>;
  const isReason = (reason: unknown) => signals.some((signal) => signal.aborted && signal.reason === reason);
  if (error instanceof PutManyAbortedError) {
    assert.ok(isReason(error.reason), "the reason is the signal's");
    return { code, item, items: items!, accepted: accepted! };
  }
  if (error instanceof DOMException) {
    assert.ok(isReason(error), "the error is the signal's reason");
    return { code: "ABORT_ERR" };
  }
  assert.ok(error instanceof Error && typeof code === "string", `an error of ours, not ${error}`);
  if (items !== undefined) return { code, item, items, accepted: accepted! };
  return item === undefined ? { code } : { code, item };
}

function sorted(drops: readonly { id: number; reason: DropReason }[]) {
  return drops.map(({ id, reason }) => `${id} ${reason}`).sort();
}

const urgency = fc.option(fc.integer({ min: -60, max: 60 }), { nil: undefined, freq: 6 });
const wait = {
  signal: fc.option(fc.nat(SIGNALS - 1), { nil: undefined, freq: 2 }),
  timeoutMs: fc.option(fc.constantFrom(0, 1, 5, 20, 100, Number.POSITIVE_INFINITY), {
    nil: undefined,
    freq: 2,
  }),
};
const burden = {
  urgency,
  deadlineIn: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.constantFrom(-1, 0, 1, 5, 10, 50) },
  ),
  correlationId: fc.option(fc.constant("an-id"), { nil: undefined, freq: 2 }),
};
/** Nothing that would make the queue read its clock: the short paths stay in play. */
const plain = {
  urgency,
  deadlineIn: fc.constant(undefined),
  correlationId: fc.constant(undefined),
};
const wanted = fc.constantFrom<Wanted>(
  "get",
  "get",
  "receive",
  "receive",
  "getMany",
  "next",
  "next delivery",
);
const which = fc.nat(20);

function stepsOf(load: typeof burden | typeof plain): fc.Arbitrary<Step> {
  const step = <D extends Step["do"], R extends object>(
    doing: D,
    rest: { [K in keyof R]: fc.Arbitrary<R[K]> },
  ) => fc.record({ do: fc.constant(doing), ...rest }) as unknown as fc.Arbitrary<Step>;
  return fc.oneof(
    { weight: 14, arbitrary: step("put", { ...load, ...wait }) },
    { weight: 5, arbitrary: step("putMany", { ...load, ...wait, count: fc.nat(6) }) },
    { weight: 5, arbitrary: step("tryPut", load) },
    { weight: 2, arbitrary: step("burst", { ...load, count: fc.integer({ min: 2, max: 40 }) }) },
    { weight: 16, arbitrary: step("pull", { ...wait, wanted, max: fc.integer({ min: 1, max: 8 }) }) },
    { weight: 4, arbitrary: step("tryGet", {}) },
    { weight: 1, arbitrary: step("peek", {}) },
    { weight: 4, arbitrary: step("taskDone", {}) },
    { weight: 2, arbitrary: step("join", wait) },
    { weight: 4, arbitrary: step("settle", { which, how: fc.constantFrom("done", "fail") }) },
    { weight: 4, arbitrary: step("retry", { which, delayMs: fc.constantFrom(0, 1, 5, 30) }) },
    {
      weight: 2,
      arbitrary: step("capacity", { capacity: fc.constantFrom(1, 2, 5, 50, Number.POSITIVE_INFINITY) }),
    },
    { weight: 2, arbitrary: step("evictWhen", { holds: fc.boolean() }) },
    { weight: 2, arbitrary: step("abort", { signal: fc.nat(SIGNALS - 1) }) },
    { weight: 5, arbitrary: step("advance", { ms: fc.constantFrom(0, 1, 5, 20, 200) }) },
    { weight: 1, arbitrary: step("observe", { on: fc.boolean() }) },
  );
}

/** A script: steps, then perhaps a shutdown and some steps more. */
const script = fc
  .tuple(
    fc.oneof(
      fc.array(stepsOf(burden), { maxLength: 80, size: "max" }),
      fc.array(stepsOf(plain), { maxLength: 80, size: "max" }),
    ),
    fc.oneof(
      { weight: 1, arbitrary: fc.constant<Step[]>([]) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.boolean(), fc.array(stepsOf(burden), { maxLength: 20, size: "max" }), fc.boolean())
          .map(([immediate, steps, again]): Step[] => [
            { do: "shutdown", immediate },
            ...steps,
            { do: "shutdown", immediate: again },
          ]),
      },
    ),
  )
  .map(([steps, end]) => [...steps, ...end]);

const tiers = [
  { name: "vip", priority: -2 },
  { name: "regular", priority: 0 },
  { name: "bulk", priority: 7.5 },
];

function scenarioOf(kind: Scenario["kind"]): fc.Arbitrary<Scenario> {
  const isPriority = kind === "priority" || kind === "deadline";
  return fc.record<Scenario>({
    kind: fc.constant(kind),
    capacity: fc.constantFrom(1, 2, 3, 8, 40, Number.POSITIVE_INFINITY),
    whenFull: fc.constantFrom("wait", "wait", "reject", "evict", "evict"),
    hasEvictWhen: fc.boolean(),
    tiers: isPriority ? fc.constantFrom([], [], tiers) : fc.constant([]),
    agingMs: kind === "priority" ? fc.constantFrom(0, 0, 1, 10, 0.5) : fc.constant(0),
    priorities: fc.constantFrom("few", "many", "fractions"),
    observed: fc.boolean(),
  });
}

/** The same runs every time, unless `FUZZ_SEED` and `FUZZ_RUNS` say otherwise; a failure prints its seed and path. */
export const RUNS = {
  seed: Number(process.env.FUZZ_SEED ?? 20_260_101),
  numRuns: Number(process.env.FUZZ_RUNS ?? 300),
};

/** Any script on any queue of the kind does what the model does. */
export async function runAgainstModel(kind: Scenario["kind"]): Promise<void> {
  await fc.assert(
    fc.asyncProperty(scenarioOf(kind), script, async (scenario, steps) => {
      await new ModelRunner(scenario).play(steps);
    }),
    RUNS,
  );
}
