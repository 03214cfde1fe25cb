import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QueueShutDownError } from "../../src/base/errors.js";
import { type DropReason, OBSERVE, PROBE } from "../../src/contracts/index.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { isSettled } from "./conformance.js";
import { RUNS } from "./model-runner.js";
import { Recorder } from "./recorder.js";

const calls = [
  "put",
  "put dated",
  "putMany",
  "tryPut",
  "get",
  "receive",
  "tryGet",
  "abort",
  "retry",
  "grow",
  "shrink",
  "toggle",
  "advance",
] as const;
type Call = (typeof calls)[number] | "shutdown" | "shutdown at once";

const call = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom<Call>(...calls) },
  { weight: 1, arbitrary: fc.constantFrom<Call>("shutdown", "shutdown at once") },
);

const setting = fc.record({
  kind: fc.constantFrom("fifo", "lifo", "priority", "aging"),
  capacity: fc.integer({ min: 1, max: 3 }),
  observed: fc.boolean(),
  /** The calls of the user's own code, and those that its callbacks make. */
  outer: fc.array(call, { maxLength: 60, size: "max" }),
  inner: fc.array(call, { maxLength: 40, size: "max" }),
});

/** A queue whose callbacks call it back, with an account of every item. */
class Caller {
  readonly clock = new FakeClock({ tickMs: 0.01 });
  readonly queue: PriorityQueue<number>;
  /** What came out, by item. */
  readonly ends = new Map<number, string[]>();
  readonly promises: Promise<unknown>[] = [];
  private readonly deliveries: { item: number; retry(): void; done(): void }[] = [];
  private controller = new AbortController();
  private nextItem = 0;
  private depth = 0;
  private evicts = true;

  constructor(
    kind: string,
    capacity: number,
    private readonly inner: Call[],
  ) {
    const options = {
      capacity,
      clock: this.clock,
      whenFull: "evict" as const,
      evictWhen: () => {
        this.callBack();
        return this.evicts;
      },
      onDrop: (item: number, reason: DropReason) => {
        this.end(item, reason);
        this.callBack();
      },
    };
    if (kind === "fifo") this.queue = new FifoQueue<number>(options) as never;
    else if (kind === "lifo") this.queue = new LifoQueue<number>(options) as never;
    else this.queue = new PriorityQueue<number>({ ...options, agingMs: kind === "aging" ? 5 : undefined });
  }

  do(call: Call): void {
    this.calls[call](this.nextItem++, this.controller.signal);
  }

  private readonly calls: Record<Call, (item: number, signal: AbortSignal) => void> = {
    put: (item, signal) => this.put([item], () => this.queue.put(item, { signal, timeoutMs: 20 })),
    "put dated": (item) => {
      const deadline = this.clock.wallNow() + (item % 3) - 1;
      this.put([item], () => this.queue.put(item, { deadline }));
    },
    putMany: (item, signal) => {
      const items = [item, this.nextItem++, this.nextItem++];
      this.put(items, () => this.queue.putMany(items, { signal }));
    },
    tryPut: (item) => {
      // A newcomer that loses was told of by onDrop; one without room is not told of.
      if (attempt(() => this.queue.tryPut(item)) !== true && !this.ends.has(item)) this.end(item, "refused");
    },
    get: (_, signal) => this.pull(this.queue.get({ signal }).then((got) => this.end(got, "taken"))),
    receive: () =>
      this.pull(this.queue.receive({ timeoutMs: 20 }).then((got) => void this.deliveries.push(got))),
    tryGet: () => {
      const got = attempt(() => this.queue.tryGet());
      if (got !== undefined) this.end(got, "taken");
    },
    abort: () => {
      const { controller } = this;
      this.controller = new AbortController();
      controller.abort();
    },
    retry: () => this.deliveries.shift()?.retry(),
    grow: () => {
      this.queue.capacity++;
    },
    shrink: () => {
      this.queue.capacity = Math.max(1, this.queue.capacity - 1);
    },
    toggle: () => {
      this.evicts = !this.evicts;
    },
    advance: () => this.clock.advance(7),
    shutdown: () => this.queue.shutdown(),
    "shutdown at once": () => this.queue.shutdown({ immediate: true }),
  };

  /** Everything that is still open ends. */
  async finish(): Promise<void> {
    this.queue.shutdown();
    for (let i = 0; i < 4; i++) await undefined;
    while (!this.queue.empty) this.do("tryGet");
    this.queue.shutdown({ immediate: true });
    for (let i = 0; i < 4; i++) await undefined;
    for (const delivery of this.deliveries.splice(0)) {
      delivery.done();
      this.end(delivery.item, "taken");
    }
  }

  private put(items: readonly number[], put: () => Promise<void>): void {
    const promise = put().catch((error) => {
      const refused: readonly number[] = error.items ?? items;
      // The newcomer that lost an eviction was told of by onDrop already.
      for (const item of refused) if (error.code !== "QUEUE_FULL") this.end(item, "refused");
    });
    this.promises.push(promise);
  }

  private pull(pull: Promise<void>): void {
    this.promises.push(pull.catch(() => {}));
  }

  private end(item: number, how: string): void {
    const ends = this.ends.get(item);
    if (ends === undefined) this.ends.set(item, [how]);
    else ends.push(how);
  }

  private callBack(): void {
    if (this.depth > 3) return;
    this.depth++;
    const call = this.inner.shift();
    if (call !== undefined) this.do(call);
    this.depth--;
  }
}

/** After a shutdown the calls that don't wait throw: then nothing came of it. */
function attempt<R>(fn: () => R): R | undefined {
  try {
    return fn();
  } catch (error) {
    expect(error).toBeInstanceOf(QueueShutDownError);
    return undefined;
  }
}

describe("callbacks that call the queue in any way", () => {
  it("lose no item, double none, and leave no caller waiting", async () => {
    await fc.assert(
      fc.asyncProperty(setting, async ({ kind, capacity, observed, outer, inner }) => {
        const caller = new Caller(kind, capacity, [...inner]);
        const { queue, clock } = caller;
        if (observed) queue[OBSERVE](new Recorder());
        const probe = queue[PROBE];
        for (const call of outer) {
          caller.do(call);
          if (call === "get" || call === "put") await undefined;
          expect(probe.waitingPuts! === 0 || queue.size >= queue.capacity).toBe(true);
          expect(probe.waitingGets! === 0 || queue.size === 0).toBe(true);
        }
        await caller.finish();
        expect(await isSettled(Promise.all(caller.promises))).toBe(true);
        const doubled = [...caller.ends].filter(([, ends]) => ends.length !== 1);
        expect(doubled).toEqual([]);
        expect([probe.waitingPuts, probe.waitingGets, queue.size, clock.pending]).toEqual([0, 0, 0, 0]);
      }),
      RUNS,
    );
  });
});
