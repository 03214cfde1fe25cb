import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import { shown } from "../../src/base/shown.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { waitFor } from "../../src/waits/wait-for.js";
import type { WatchdogOptions } from "../../src/watchdog/options.js";
import { groupLines, groupReports, hintLines, type TaskReport } from "../../src/watchdog/report/groups.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { WorkerPool } from "../../src/worker/pool.js";

const never = new Promise<never>(() => {});

let clock: FakeClock;
let queues = 0;
const dogs: Watchdog[] = [];

beforeEach(() => {
  clock = new FakeClock();
});
afterEach(async () => {
  await Promise.all(dogs.splice(0).map((dog) => dog.stop()));
});

function watched(options: WatchdogOptions = {}) {
  const queue = instrument(new FifoQueue<string>({ clock }), {
    name: `reported-${queues++}`,
    sla: { default: { targetMs: 1_000 } },
  });
  const stallThresholdMs = Number.POSITIVE_INFINITY;
  const dog = new Watchdog({ everyMs: 100, stallThresholdMs, clock, ...options }).watch(queue).start();
  dogs.push(dog);
  return { queue, report: () => dog.report()[0]! };
}

describe("a foreign text", () => {
  it("is as it was, if it is harmless and short", () => {
    for (const text of ["order-7", "Überweisung 😀", "C:\\temp", ""]) expect(shown(text)).toBe(text);
  });

  it("begins no line, moves no cursor, colours nothing and turns no writing round", () => {
    expect(shown("a\nb\r\u001b[31m\u009b2J\u2028\u202e.")).toBe(
      "a\\u000ab\\u000d\\u001b[31m\\u009b2J\\u2028\\u202e.",
    );
  });

  it("is cut", () => {
    expect(shown("x".repeat(81))).toBe(`${"x".repeat(79)}…`);
    expect(shown("xyz", 2)).toBe("x…");
  });
});

describe("the text of a report", () => {
  it("has as many lines as it ought to, and none that is endless, whatever the texts in it", async () => {
    const forged = "a\nBREACH queue=payments tier=default head waited 99 h\u001b[31m";
    const long = "x".repeat(500_000);
    const { queue, report } = watched();
    new WorkerPool(
      queue,
      (_, task) => {
        task.step(`${forged}${long}`);
        return waitFor(long, never);
      },
      {
        concurrency: 2,
        name: forged,
      },
    );
    for (const id of [forged, long, long, forged]) await queue.put("a", { correlationId: id });
    await expect.poll(() => queue.size).toBe(2);
    clock.advance(1_500);
    const text = String(report());
    expect(text.match(/^BREACH/gm)).toHaveLength(1);
    expect(text).toContain("a\\u000aBREACH queue=payments");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them is to be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThan(700);
    expect(text.split("\n").length).toBeLessThan(15);
  });

  it("says where a task's item was put and where it waits, if that was sampled", async () => {
    const { queue, report } = watched({ stackEvery: 1 });
    async function chargeCard() {
      await waitFor("lock", never);
    }
    const pool = new WorkerPool(queue, () => chargeCard());
    async function placeOrder() {
      await queue.put("a", { correlationId: "order-7" });
    }
    await placeOrder();
    await expect.poll(() => pool.workers[0]?.state).toBe("processing");
    const { groups } = JSON.parse(JSON.stringify(report()));
    const file = import.meta.filename;
    expect(groups[0].tasks[0].putAt[0]).toMatchObject({ name: "placeOrder", file });
    expect(groups[0].tasks[0].waits[0].stack[0]).toMatchObject({ name: "chargeCard", file });
    const places = String(report()).match(/^ {5}(put|waits) in .*$/gm);
    expect(places).toEqual([
      expect.stringMatching(/^ {5}put in placeOrder \(.*report\.test\.ts:\d+\) {3}order-7$/),
      expect.stringMatching(/^ {5}waits in chargeCard \(.*report\.test\.ts:\d+\) {3}order-7$/),
    ]);
  });

  it("says so of consumers that wait for an item", () => {
    const { queue, report } = watched();
    for (let i = 0; i < 2; i++) queue.get().catch(() => {});
    expect(String(report())).toMatch(/^GETS 2 consumers idle$/m);
    queue.shutdown();
  });

  it("has a line for each of the first pools only", () => {
    const { queue, report } = watched();
    for (let i = 0; i < 8; i++) new WorkerPool(queue, () => {}, { autoStart: false, name: `p${i}` });
    expect(String(report()).match(/^POOL .*$/gm)).toHaveLength(5);
    expect(String(report())).toMatch(/^ {5}and 3 more pools$/m);
  });

  it("looks for no cause where nothing waits, and nothing has an SLA", () => {
    const queue = instrument(new FifoQueue<string>({ clock }), { name: `reported-${queues++}` });
    const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY, clock }).watch(queue);
    expect(String(dog.report()[0])).toMatch(/^WHY {2}nothing to explain: no item waits$/m);
  });
});

describe("tasks in flight", () => {
  const task = (correlationId: string, more: Partial<TaskReport> = {}): TaskReport => ({
    correlationId,
    traceId: undefined,
    tier: "default",
    attempt: 1,
    runningMs: 1_500,
    failure: undefined,
    patienceMs: undefined,
    isOver: false,
    step: undefined,
    worker: undefined,
    state: undefined,
    waits: [{ kind: "http", label: "GET bank", state: "sent, waiting for headers", forMs: 1_400 }],
    putAt: undefined,
    neverResumes: undefined,
    ...more,
  });

  it("are shown with how far their wait has come, and with as many IDs as there is room for", () => {
    const uuids = ["1", "2", "3", "4"].map((each) => task(each.repeat(36)));
    expect(groupLines([{ kind: "http", label: "GET bank", tasks: uuids }])).toEqual([
      `4x waiting for GET bank, "sent, waiting for headers", up to 1.4 s   ${"1".repeat(36)}, …`,
    ]);
    const few = ["a", "b", "c", "d"].map((each) => task(each, { waits: [] }));
    expect(groupLines([{ kind: undefined, label: undefined, tasks: few }])).toEqual([
      "4x wait unknown, running for up to 1.5 s   a, b, c, …",
    ]);
  });

  it("of which nothing is known are told what would make it known, unless they are young, over, or lost", () => {
    const unknown = (more: Partial<TaskReport>) => [
      { kind: undefined, label: undefined, tasks: [task("a", { waits: [], ...more })] },
    ];
    expect(hintLines(unknown({}))).toEqual([
      "     to know what an unknown wait is for: await waitFor(label, promise) in the handler, or at which line it is: node --import queuescope/frames",
    ]);
    for (const more of [{ runningMs: 10 }, { isOver: true }, { neverResumes: true }]) {
      expect(hintLines(unknown(more))).toEqual([]);
    }
    expect(hintLines([{ kind: "http", label: "GET bank", tasks: [task("a")] }])).toEqual([]);
  });

  it("stand in groups of the same place, with who has what they wait for", () => {
    const frame = (functionName: string, line: number) => ({
      functionName,
      file: "/app/billing.ts",
      line,
      column: 3,
    });
    const frames = [frame("chargeCard", 88), frame("handleOrder", 31)];
    const waits = [
      {
        kind: "connection" as const,
        label: "pg pool at db:5432",
        state: "waiting for a connection",
        forMs: 31_000,
        use: { inUse: 10, idle: 0, waiting: 2, limit: 10 },
        holders: [{ correlationId: "order-7", forMs: 40_000 }],
      },
    ];
    const facts = {} as never;
    const tasks = [
      { ...task("a", { waits, branches: [{ count: 1, frames }] }), facts },
      { ...task("b", { waits }), facts },
      { ...task("c", { waits, branches: [{ count: 1, frames: [...frames] }] }), facts },
    ];
    const groups = groupReports({
      kind: "connection",
      label: "pg pool at db:5432",
      states: [],
      tasks,
      forMs: [],
    });
    expect(groups.map(({ branches }) => branches?.[0]?.frames)).toEqual([frames, undefined]);
    expect(groupLines(groups)).toEqual([
      "2x chargeCard billing.ts:88 < handleOrder billing.ts:31, waiting for a connection of pg pool at db:5432 (10 of 10 in use, 0 idle, 2 waiting), up to 31.0 s   a, …",
      "     held by: order-7 for 40.0 s",
      "1x waiting for a connection of pg pool at db:5432 (10 of 10 in use, 0 idle, 2 waiting), for 31.0 s   b",
      "     held by: order-7 for 40.0 s",
    ]);
  });

  it("stand apart that have no connection yet, and of which nothing but a timer is known", () => {
    const facts = {} as never;
    const http = (state: string) => [{ kind: "http" as const, label: "GET bank", state, forMs: 900 }];
    const requests = [http("sent, waiting for headers"), http("waiting for a connection")];
    const of = (kind: "http" | undefined, waits: TaskReport["waits"][]) =>
      groupLines(
        groupReports({
          kind,
          label: kind && "GET bank",
          states: [],
          tasks: waits.map((each, i) => ({ ...task(`${i}`, { waits: each }), facts })),
          forMs: [],
        }),
      );
    expect(of("http", requests)).toEqual([
      '1x waiting for GET bank, "sent, waiting for headers", for 900 ms   0',
      '1x waiting for GET bank, "waiting for a connection", for 900 ms   1',
    ]);
    const timer = { kind: "timer" as const, label: "timer of 60.0 s", state: "due in 2.0 s", forMs: 58_000 };
    expect(of(undefined, [[timer], [], [timer]])).toEqual([
      "2x wait unknown, its timer of 60.0 s is due in 2.0 s, running for up to 1.5 s   0, 2",
      "1x wait unknown, running for 1.5 s   1",
    ]);
  });

  it("that can never resume are named", () => {
    const [a, b] = [task("a", { neverResumes: false }), task("b", { neverResumes: true, waits: [] })];
    expect(groupLines([{ kind: undefined, label: undefined, tasks: [a, b] }])).toEqual([
      "2x wait unknown, running for up to 1.5 s   a, b",
      "     1 can never resume:   b",
    ]);
    expect(groupLines([{ kind: undefined, label: undefined, tasks: [b] }])).toEqual([
      "1x wait unknown, running for 1.5 s, can never resume   b",
    ]);
  });

  it("are summed up where they wait for very many things", () => {
    const groups = Array.from({ length: 9 }, (_, i) => ({
      kind: "label",
      label: `l${i}`,
      tasks: [task("a")],
    }));
    const lines = groupLines(groups);
    expect(lines).toHaveLength(6);
    expect(lines.at(-1)).toBe("     and 4 tasks that wait for something else");
  });
});

it("a worker's last start, step and finish are so long ago", async () => {
  const { queue, report } = watched();
  const pool = new WorkerPool(queue, (item) => (item === "hang" ? never : undefined));
  await queue.put("a");
  await expect.poll(() => pool.workers[0]?.state).toBe("idle");
  clock.advance(500);
  await queue.put("hang");
  await expect.poll(() => pool.workers[0]?.state).toBe("processing");
  clock.advance(1_500);
  expect(JSON.parse(JSON.stringify(report())).workers[0].workers[0]).toMatchObject({
    lastStartMsAgo: 1_500,
    lastFinishMsAgo: 2_000,
  });
});
