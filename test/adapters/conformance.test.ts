import { AsyncResource } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Ledger } from "../../src/adapters/ledger.js";
import type { Task } from "../../src/adapters/task.js";
import type { Probe } from "../../src/contracts/index.js";
import { adapterConformance } from "../../src/testing.js";
import { crewWith, type Faults } from "./broken-adapters.js";
import { KINDS } from "./kinds.js";

for (const [kind, cases] of Object.entries(KINDS)) {
  describe(kind, () => {
    for (const { name, run } of cases) it.concurrent(name, run);
  });
}

/** Names of the cases that fail, all at the same time, because it takes long to see that something never happens. */
async function failing(faults: Faults): Promise<string[]> {
  const cases = adapterConformance(crewWith(faults));
  const results = await Promise.allSettled(cases.map(({ run }) => run()));
  return cases.flatMap(({ name }, i) => (results[i]?.status === "rejected" ? name : []));
}

const ENDS = "each task that ends is told once, as success, or as failure with its error";
const PUTS = "each put is begun once, in its caller's context, and over once";
const TAKES = "each item that is taken is told once, with what travelled with it";
const SPANS = "the span of each handler is ended once, with the error if there was one";
const CONTEXT = "each handler runs in the context of its own put, with several at a time";
const RESULTS = "results and errors of handlers come back as they are";
const CLEARED =
  "each item that is cleared is told as dropped, for a reason that tells has, and what comes later is not";
const TELLS = "what tells promises is told, and nothing else";
const FIGURES = "the probe shows depth and in flight as they are, at each step";
const OLDEST = "the probe shows since when the oldest item of each tier waits";
const HEAD = "the probe's head is what is taken next, or it knows of none";
const SAFE = "the probe never throws, for tiers that there aren't and after detach either";
const RESTORED = "detach restores every own property";
const AFTER =
  "after detach the queue goes on working, what waits and what runs included, and puts are not told";
const FROZEN = "a frozen queue is refused with NotInstrumentableError and left as it is, or it works";
const THOUSAND = "of 1,000 tasks with random outcomes, as many were put as were taken, are dropped, or wait";
const ORDER = "the handlers' order and the puts' results are those of a bare queue";

/** In no item's context. */
const resource = new AsyncResource("outside");
const outside = <R>(fn: () => R): R => resource.runInAsyncScope(fn);

/** Takes the task without saying that its put is over. */
function takeSilently(ledger: Ledger, task: Task): void {
  task.stage = "waiting";
  ledger.take(task);
}

const changed = (probe: Probe, change: Partial<Probe>): Probe => Object.assign(Object.create(probe), change);

describe("the suite", () => {
  it("has nothing against an adapter that is right", async () => {
    expect(await failing({})).toEqual([]);
  });

  const broken: readonly (readonly [string, Faults, readonly string[]])[] = [
    ["runs handlers in any context", { run: (_ledger, _task, run) => run() }, [CONTEXT, SPANS]],
    [
      "begins a put in another context",
      { enter: (ledger, run) => outside(() => ledger.enter(run)) },
      [PUTS, CONTEXT],
    ],
    ["never says that a put is over", { entered: () => {}, take: takeSilently }, [PUTS]],
    [
      "settles twice",
      {
        settle: (ledger, task, failure, telemetry) => {
          ledger.settle(task, failure);
          telemetry.settled("success", 0);
        },
      },
      [ENDS, THOUSAND],
    ],
    ["tells failures as successes", { settle: (ledger, task) => ledger.settle(task) }, [ENDS, SPANS]],
    ["never settles", { settle: () => {} }, [ENDS, TELLS]],
    ["walks away with the item", { hand: () => undefined }, [PUTS, TAKES, RESULTS, ORDER, AFTER]],
    [
      "calls the handler twice",
      {
        hand: (handler) => () => {
          void Promise.resolve(handler()).catch(() => {});
          return handler();
        },
      },
      [ENDS],
    ],
    ["swallows results", { result: (promise) => promise.then(() => undefined) }, [RESULTS, ORDER]],
    [
      "gives errors of its own",
      {
        result: (promise) =>
          promise.catch((cause) => {
            throw new Error("failed", { cause });
          }),
      },
      [RESULTS, ORDER],
    ],
    ["tells nothing about drops", { clear: () => {} }, [CLEARED]],
    ["gives a reason that its tells lacks", { clear: (ledger) => ledger.dropAll("evicted") }, [CLEARED]],
    ["tells more than it says", { tells: ["takes", "shutdown"] }, [TELLS]],
    ["doesn't restore", { detach: () => {} }, [RESTORED]],
    [
      "stops telling what runs to the end",
      { detach: (restore, ledger) => [restore(), Object.assign(ledger, { settle: () => {} })] },
      [AFTER],
    ],
    [
      "goes on telling after detach",
      { detach: (_restore, ledger) => Object.assign(ledger, { isOpen: true }) },
      [AFTER],
    ],
    [
      "counts the running ones as waiting",
      { size: ({ waiting, running }) => waiting.length + running },
      [FIGURES],
    ],
    ["has ages in seconds", { probe: (probe) => changed(probe, { oldestAt: () => 1 }) }, [OLDEST]],
    [
      "takes the youngest for the head",
      { probe: (probe) => changed(probe, { headAt: () => (probe.depth(0) > 0 ? probe.now() : undefined) }) },
      [HEAD],
    ],
    [
      "has a probe that throws",
      {
        probe: (probe) =>
          changed(probe, {
            headAt: () => {
              throw new Error("closed");
            },
          }),
      },
      [SAFE],
    ],
    [
      "leaves a frozen queue to a TypeError",
      {
        attach: (queue) => {
          if (Object.isFrozen(queue)) throw new TypeError("it is frozen");
        },
      },
      [FROZEN],
    ],
  ];

  it.concurrent.each(broken)("fails an adapter that %s", async (_, faults, expected) => {
    expect(await failing(faults)).toEqual(expect.arrayContaining([...expected]));
  });

  it("leaves out what the kind does not offer", () => {
    const { clear: _, results: __, ...rest } = crewWith({});
    const names = adapterConformance({ ...rest, tells: [], handlers: "out-of-context" }).map(
      ({ name }) => name,
    );
    for (const name of [CLEARED, RESULTS, CONTEXT, SPANS, TAKES, ENDS, HEAD])
      expect(names).not.toContain(name);
    for (const name of [PUTS, TELLS, ORDER, FIGURES, RESTORED]) expect(names).toContain(name);
  });

  it("names each case once", () => {
    const names = adapterConformance(crewWith({})).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("docs/writing-an-adapter.md", () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

  it.each(["semaphore.ts", "semaphore.test.ts"])("shows %s as it is", (file) => {
    const code = read(`examples/own-adapter/${file}`);
    expect(read("docs/writing-an-adapter.md")).toContain(`\`\`\`ts\n${code}\`\`\``);
    expect(code.split("\n").length).toBeLessThanOrEqual(80);
  });
});
