import async from "async";
import fastq from "fastq";
import PQueue from "p-queue";
import { describe, expect, it, vi } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { type InstrumentOptions, instrument } from "../../src/adapters/instrument.js";
import { processWide } from "../../src/base/process-wide.js";

/*
 * A put that throws: whatever the library has taken in by then is booked, and nothing else.
 */

interface Case {
  readonly queue: object;
  readonly options?: Omit<InstrumentOptions, "name">;
  /** Throws. */
  put(): unknown;
  /** What the library says afterwards. */
  size(): number;
  /** A put that it takes. */
  putWell(): unknown;
}

const no = (): never => {
  throw new Error("the library says no");
};

/** Fails while it is wanted. */
function refusing<F extends (...args: never[]) => unknown>(method: F) {
  let refuses = true;
  const wrapped = (...args: never[]) => (refuses ? no() : method(...args));
  return { method: wrapped as F, relent: () => (refuses = false) };
}

function fastqCase(name: "push" | "unshift", hasPromises: boolean, isBusy: boolean): Case {
  const queue = hasPromises ? fastq.promise(async () => {}, 1) : fastq((_: number, done) => done(null), 1);
  const { method, relent } = refusing((queue[name] as (item: number) => unknown).bind(queue));
  queue[name] = method as never;
  if (isBusy) queue.pause();
  const putWell = () => {
    relent();
    queue.pause();
    void queue[name](2, () => {});
  };
  return { queue, put: () => queue[name](1, () => {}), size: () => queue.length(), putWell };
}

function saturatedCase(name: "push" | "unshift"): Case {
  const queue = fastq((_: number, done) => done(null), 1);
  queue.pause();
  const { method, relent } = refusing(() => {});
  queue.saturated = method;
  const putWell = () => {
    relent();
    queue[name](2);
  };
  return { queue, put: () => queue[name](1), size: () => queue.length(), putWell };
}

function asyncCase(what: "callback" | "priority"): Case {
  const queue =
    what === "callback" ? async.queue<number>(() => {}, 1) : async.priorityQueue<number>(() => {}, 1);
  queue.pause();
  const push = queue.push as (...args: unknown[]) => unknown;
  const priority = what === "priority" ? [0] : [];
  const putWell = () => void push(2, ...priority, () => {});
  if (what === "priority") {
    const put = () => {
      push(1, 0);
      push(1, { valueOf: no });
    };
    return { queue, put, size: () => queue.length(), putWell };
  }
  return { queue, put: () => push(1, "no function"), size: () => queue.length(), putWell };
}

function genericCase(style: "return" | "callback", whenIn: boolean, names: { size?: "length" } = {}): Case {
  const items: unknown[] = [];
  let refuses = true;
  const queue = {
    get length() {
      return items.length;
    },
    put(item: unknown, done?: () => void) {
      if (whenIn) items.push(item);
      if (whenIn) done?.();
      if (refuses) no();
      if (!whenIn) items.push(item);
      done?.();
    },
    get: () => items.shift(),
  };
  const adapter = generic({ put: "put", get: "get", style, ...names });
  const putWell = () => {
    refuses = false;
    queue.put(2, () => {});
  };
  return {
    queue,
    options: { adapter },
    put: () => queue.put(1, () => {}),
    size: () => items.length,
    putWell,
  };
}

function pQueueCase(): Case {
  const queue = new PQueue({ concurrency: 1, autoStart: false });
  const options = {
    get priority(): number {
      return no();
    },
  };
  return {
    queue,
    put: () => queue.add(async () => {}, options),
    size: () => queue.size,
    putWell: () => void queue.add(async () => {}),
  };
}

/** A queue class as users write them, with room for one, or one that takes the job first. */
function queueClassCase(whenIn: boolean): Case {
  let refuses = true;
  class Own {
    readonly jobs: (() => Promise<unknown>)[] = [];
    enqueue(job: () => Promise<unknown>): void {
      if (whenIn) this.jobs.push(job);
      if (refuses) no();
      if (!whenIn) this.jobs.push(job);
    }
    dequeue = () => this.jobs.shift();
    filter = () => this.jobs;
    setPriority(): void {}
    get size(): number {
      return this.jobs.length;
    }
  }
  const queue = new PQueue({ concurrency: 1, autoStart: false, queueClass: Own });
  const putWell = () => {
    refuses = false;
    void queue.add(async () => {});
  };
  return { queue, put: () => queue.add(async () => {}), size: () => queue.size, putWell };
}

const CASES: Record<string, () => Case> = {};
for (const name of ["push", "unshift"] as const) {
  for (const hasPromises of [false, true]) {
    for (const isBusy of [false, true])
      CASES[`fastq${hasPromises ? ".promise" : ""} ${name}${isBusy ? ", paused" : ""}`] = () =>
        fastqCase(name, hasPromises, isBusy);
  }
  CASES[`fastq ${name}, whose saturated() throws when the item is in`] = () => saturatedCase(name);
}
CASES["async.queue push with a callback that is none"] = () => asyncCase("callback");
CASES["async.priorityQueue push with a priority that can't be compared, when the item is in"] = () =>
  asyncCase("priority");
CASES["generic, style return"] = () => genericCase("return", false);
CASES["generic, style return, with a size"] = () => genericCase("return", false, { size: "length" });
CASES["generic, style return, when the item is in, as its size shows"] = () =>
  genericCase("return", true, { size: "length" });
CASES["generic, style callback"] = () => genericCase("callback", false);
CASES["generic, style callback, when it has called back"] = () => genericCase("callback", true);
CASES["p-queue add with options that throw"] = pQueueCase;
CASES["p-queue add with a queue class that throws"] = () => queueClassCase(false);
CASES["p-queue add with a queue class that throws when the job is in"] = () => queueClassCase(true);

let count = 0;

describe.each(Object.entries(CASES))("%s", (_, make) => {
  it("throws the library's error, and books only what is in the queue", async () => {
    vi.useFakeTimers({ now: 0 });
    try {
      const { queue, options, put, size, putWell } = make();
      instrument(queue, { name: `refused-${count++}`, ...options });
      const { probe } = processWide.instrumented.get(queue)!.watchables[0]!;
      let error: unknown;
      try {
        await put();
      } catch (thrown) {
        error = thrown;
      }
      expect(String(error)).toMatch(/the library says no|must be a function/);
      const taken = size();
      expect(probe.depth(0)).toBe(taken);
      expect(probe.inFlight ?? 0).toBe(0);
      expect([...(probe.tasks?.() ?? [])]).toEqual([]);
      expect(probe.waitingPuts ?? 0).toBe(0);
      vi.advanceTimersByTime(1_000);
      putWell();
      expect(probe.depth(0)).toBe(size());
      expect(probe.now() - probe.oldestAt(0)!).toBe(taken > 0 ? 1_000 : 0);
    } finally {
      vi.useRealTimers();
    }
  });
});
