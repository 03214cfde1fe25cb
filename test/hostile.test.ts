import { inspect } from "node:util";
import fastq from "fastq";
import PQueue from "p-queue";
import pino from "pino";
import { afterEach, describe, expect, it, vi } from "vitest";
import { instrumentHandler } from "../src/adapters/handler.js";
import { instrument } from "../src/adapters/instrument.js";
import { QueueFullError, QueueShutDownError } from "../src/base/errors.js";
import { FifoQueue } from "../src/queue/fifo-queue.js";
import { PriorityQueue } from "../src/queue/priority-queue.js";
import { FakeClock } from "../src/testing/fake-clock.js";
import { Watchdog } from "../src/watchdog/watchdog.js";
import { Gate } from "../src/worker/gate.js";
import { runGroup } from "../src/worker/group.js";
import { WorkerPool } from "../src/worker/pool.js";

/** Begins a line, colours it, clears the screen, turns it around, and links somewhere. */
const EVIL = "evil\nFORGED\r\u001b[31m\u009b2J\u2028\u202e\u001b]8;;http://x\u0007";
/** What no line that we write may have in it. */
const RAW = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

let queues = 0;
const name = () => `hostile-${queues++}`;
const raw = (text: string) => text.split("\n").some((line) => RAW.test(line) || line.startsWith("FORGED"));

/** Has no `then` but what the target has, and throws whatever else it is asked. */
function unlessThen(target: object = {}): unknown {
  const no = () => {
    throw new Error("no");
  };
  return new Proxy(target, {
    get: (_, key) => (key === "then" ? Reflect.get(target, key)?.bind(target) : no()),
    has: no,
    ownKeys: no,
    getPrototypeOf: no,
    isExtensible: no,
    defineProperty: no,
    getOwnPropertyDescriptor: no,
  });
}

function aborter() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason: unknown) => controller.abort(reason) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("texts of others, wherever a person reads them, forge no line and reach no terminal", () => {
  /** A pool with a task that hangs, and one item that waits. */
  async function hanging() {
    const clock = new FakeClock();
    const queue = instrument(new FifoQueue<number>({ clock }), {
      name: `${name()}${EVIL}`,
      sla: { default: { targetMs: 1_000 } },
    });
    let release = () => {};
    const pool = new WorkerPool(
      queue,
      (_, task) => {
        task.step(EVIL);
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
      { name: EVIL, gate: new Gate({ name: EVIL, concurrency: 1 }) },
    );
    await queue.put(1, { correlationId: `a${EVIL}` });
    await queue.put(2, { correlationId: `b${EVIL}` });
    await new Promise((resolve) => setImmediate(resolve));
    return { clock, queue, pool, release: () => release() };
  }

  it("in a report", async () => {
    const { clock, queue } = await hanging();
    const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY, everyMs: 100, clock });
    dog.watch(queue).start();
    clock.advance(5_000);
    const [report] = dog.report();
    await dog.stop();
    expect(String(report)).toContain("evil\\u000aFORGED");
    expect(raw(String(report))).toBe(false);
  });

  it("in the words of a drain", async () => {
    const { clock, pool, queue } = await hanging();
    const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY, everyMs: 100, clock });
    dog.watch(queue).start();
    const drained = pool.drain({ timeoutMs: 3_000 });
    clock.advance(3_000);
    const report = await drained;
    await dog.stop();
    expect(report.abandoned).toHaveLength(1);
    const text = String(report);
    expect(text).toMatch(/abandoned: aevil/);
    expect(text).toMatch(/left over: bevil/);
    expect(text).toMatch(/why: /);
    expect(raw(text)).toBe(false);
  });

  it("in the reasons of ill health", async () => {
    const { clock, pool } = await hanging();
    pool.health();
    clock.advance(120_000);
    const { reasons } = pool.health();
    expect(reasons.join()).toContain("silent");
    pool.pause();
    for (const reason of [...reasons, ...pool.health().reasons]) expect(reason).not.toMatch(RAW);
  });

  it("in advice", async () => {
    const { clock, pool } = await hanging();
    pool.advice();
    clock.advance(60_000);
    expect(raw(String(pool.advice()))).toBe(false);
  });

  it("in the warning of an item that was given up", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const queue = new FifoQueue<number>();
    const pool = new WorkerPool(
      queue,
      () => {
        const error = new Error(EVIL);
        throw Object.assign(error, { headers: { Authorization: "Bearer secret" } });
      },
      { name: EVIL },
    );
    await queue.put(1, { correlationId: EVIL });
    await pool.drain();
    const text = String(warn.mock.calls[0]![0]);
    expect(raw(text)).toBe(false);
    expect(text).toContain("evil\\u000aFORGED");
    expect(text).not.toMatch(/Authorization|secret/);
  });

  it.each([
    ["an option's value", () => new FifoQueue({ whenFull: EVIL as never })],
    ["an option's name", () => new FifoQueue({ [EVIL]: 1 } as never)],
    ["a tier's name", () => new PriorityQueue({ tiers: { [EVIL]: Number.NaN } })],
    ["a symbol", () => new FifoQueue({ capacity: Symbol(EVIL) as never })],
    [
      "the name of a method",
      () => instrument({ [EVIL]: 1 }, { name: name(), adapter: { ...({} as object) } as never }),
    ],
  ])("in the message of an error that quotes %s", (_, make) => {
    let message = "";
    try {
      make();
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).not.toBe("");
    expect(message).not.toMatch(RAW);
  });
});

describe("an error that hands an item back", () => {
  const secret = { card: "4111 1111" };

  it.each([
    ["of a full queue", new QueueFullError(1, { item: secret })],
    [
      "of a queue that is shut down",
      new QueueShutDownError("put", { item: secret, items: [secret], accepted: 0 }),
    ],
  ])("shows it to none who logs the error: %s", (_, error) => {
    expect(error.item).toBe(secret);
    expect(Object.hasOwn(error, "item")).toBe(true);
    expect({ ...error }).not.toHaveProperty("item");
    const lines: string[] = [];
    pino({}, { write: (line: string) => lines.push(line) }).error(error);
    for (const text of [inspect(error), inspect(error, { depth: 10 }), JSON.stringify(error), ...lines]) {
      expect(text).not.toContain("4111");
    }
  });

  it("still says how many items are in", () => {
    const error = new QueueShutDownError("put", { item: 1, items: [1], accepted: 3 });
    expect(Object.keys(error)).toContain("accepted");
  });
});

describe("redact", () => {
  it("gets the keys of objects and maps, too, and loses none that become the same", async () => {
    const queue = instrument(new FifoQueue<unknown>(), { name: name() });
    const dog = new Watchdog({
      stallThresholdMs: Number.POSITIVE_INFINITY,
      payload: (item) => item,
      redact: (text) => text.replace(/\d{4}/g, "…"),
    }).watch(queue);
    await queue.put({
      "card 4111": "4242",
      "card 5555": { "6666": [{ "7777": 1 }] },
      map: new Map([["8888", new Map([[{ "9999": 1 }, "1234"]])]]),
      [Symbol("4321")]: 1,
    });
    const [report] = dog.report();
    expect(JSON.stringify(report!.head[0]!.payload)).not.toMatch(/\d{4}/);
    expect(report!.head[0]!.payload).toMatchObject({ "card …": "…", "card … (2)": { "…": [{ "…": 1 }] } });
    expect(report!.head[0]).toHaveProperty("waitMs");
  });

  it("gets what checks of the user's have as evidence", () => {
    const queue = instrument(new FifoQueue<unknown>(), { name: name() });
    const check = {
      name: "mine",
      look: () => ({ name: "mine", confidence: 1, sentence: "s", evidence: { id: "4111" } }),
    };
    const dog = new Watchdog({
      stallThresholdMs: Number.POSITIVE_INFINITY,
      checks: [check],
      redact: (text) => text.replace(/\d{4}/g, "…"),
    }).watch(queue);
    expect(dog.report()[0]!.verdicts[0]!.evidence).toEqual({ id: "…" });
  });

  it.each(["redact", "payload"] as const)(
    "an async %s is refused, and what it rejects with is told",
    async (option) => {
      const queue = instrument(new FifoQueue<string>(), { name: name() });
      const errors: unknown[] = [];
      const dog = new Watchdog({
        stallThresholdMs: Number.POSITIVE_INFINITY,
        [option]: async () => {
          throw new Error("too late");
        },
      });
      dog.on("error", (error) => errors.push(error)).watch(queue);
      await queue.put("secret", { correlationId: "secret" });
      const [report] = dog.report();
      await new Promise((resolve) => setImmediate(resolve));
      expect(errors[0]).toMatchObject({ message: "too late" });
      expect(report!.head).toMatchObject([
        option === "redact"
          ? { correlationId: "…" }
          : { payload: undefined, payloadLeftOut: expect.stringContaining("at once") },
      ]);
    },
  );
});

describe("hostile values", () => {
  const bomb = () =>
    new Proxy(() => {}, {
      get() {
        throw new Error("no");
      },
      ownKeys() {
        throw new Error("no");
      },
      getPrototypeOf() {
        throw new Error("no");
      },
    });
  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  };

  it.each([
    ["what throws whatever it is asked", bomb],
    ["a proxy that was revoked", revoked],
    ["a symbol", () => Symbol("s")],
    ["a frozen error", () => Object.freeze(new Error("cold"))],
    [
      "an AggregateError of very many",
      () => new AggregateError(Array.from({ length: 10_000 }, () => new Error("e"))),
    ],
    [
      "an error that is its own cause",
      () => {
        const error: Error & { cause?: unknown } = new Error("ring");
        error.cause = error;
        return error;
      },
    ],
    ["a message of a hundred megabytes", () => new Error("m".repeat(1e8))],
  ])("thrown by a handler cost nothing but that attempt: %s", async (_, make) => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const queue = instrument(new FifoQueue<number>(), { name: name(), sla: { default: { targetMs: 1 } } });
    const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY }).watch(queue);
    const pool = new WorkerPool(queue, (n) => {
      if (n === 1) throw make();
    });
    await queue.put(1);
    await queue.put(2);
    await pool.drain();
    expect(pool.counts).toMatchObject({ done: 1, failed: 1 });
    expect(warn).toHaveBeenCalledOnce();
    expect(String(warn.mock.calls[0]![0]).length).toBeLessThan(10_000);
    expect(JSON.stringify(dog.report()).length).toBeLessThan(100_000);
  });

  it.each([
    ["what throws whatever it is asked", bomb],
    ["a proxy that was revoked", revoked],
  ])("as items are items: %s", async (_, make) => {
    const queue = instrument(new FifoQueue<unknown>({ capacity: 1, whenFull: "reject" }), { name: name() });
    const errors: unknown[] = [];
    const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY, payload: (item) => item });
    dog.on("error", (error) => errors.push(error)).watch(queue);
    const item = make();
    await queue.put(item);
    expect(dog.report()[0]!.head).toHaveLength(1);
    const refused = await queue.put(item).catch((error: unknown) => error);
    expect((refused as QueueFullError).item).toBe(item);
    expect(inspect(refused)).toContain("the queue is full");
    expect(queue.tryGet()).toBe(item);
  });

  it.each(["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf"])(
    "%s is a name as good as any other",
    async (evil) => {
      const tiers = JSON.parse(`{ "${evil}": 0, "other": 10 }`) as Record<string, number>;
      const sla = JSON.parse(`{ "${evil}": { "targetMs": 5 } }`);
      const queue = instrument(new PriorityQueue<unknown>({ tiers }), { name: evil, sla });
      const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY, payload: (item) => item }).watch(
        queue,
      );
      await queue.put(JSON.parse(`{ "${evil}": { "polluted": true } }`), { tier: evil });
      const [report] = dog.report();
      const told = JSON.parse(JSON.stringify(report));
      expect(report).toMatchObject({ queue: evil, tier: evil });
      expect(Object.hasOwn(told.head[0].payload, evil)).toBe(true);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      expect(() => queue.tryPut(1, { tier: "nosuch" })).toThrow(/tier/);
      expect(() => new PriorityQueue({ tiers: { only: 0 } }).tryPut(1, { tier: evil as never })).toThrow(
        /tier/,
      );
      expect(() => new FifoQueue(JSON.parse(`{ "${evil}": 1 }`))).toThrow(/is not an option/);
    },
  );

  it.each([
    ["what throws whatever it is asked", bomb],
    ["a proxy that was revoked", revoked],
  ])("as reasons of an abort reach the caller that waits, and no other: %s", async (_, make) => {
    const { signal, abort } = aborter();
    const full = new FifoQueue<number>({ capacity: 1 });
    full.tryPut(1);
    const gate = new Gate({ name: "downstream", concurrency: 1 });
    const waits = [
      new FifoQueue<number>().get({ signal }),
      full.put(2, { signal }),
      full.join({ signal }),
      gate.run(() => new Promise((resolve) => void aborted(signal).then(resolve))),
      gate.run(() => {}, { signal }),
      runGroup(async (group) => {
        for (let i = 0; i < 3; i++) void group.run(() => aborted(signal).then(() => Promise.reject(make())));
      }),
    ];
    const settled = Promise.allSettled(waits);
    await new Promise((resolve) => setImmediate(resolve));
    const reason = make();
    abort(reason);
    const [get, put, join, through, waiting, group] = await settled;
    for (const each of [get, put, join, waiting]) expect((each as PromiseRejectedResult).reason).toBe(reason);
    expect(through?.status).toBe("fulfilled");
    expect((group as PromiseRejectedResult).reason.errors).toHaveLength(3);
    expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
    expect(full).toMatchObject({ size: 1 });
  });

  it("by which a policy refuses are a refusal like any other", async () => {
    const clock = new FakeClock();
    let refuses = true;
    const execute = async (fn: (context: object) => unknown) => {
      if (refuses) throw bomb();
      return fn({});
    };
    const gate = new Gate({ name: "downstream", policy: { execute } as never, clock });
    const call = gate.run(() => "through");
    await new Promise((resolve) => setImmediate(resolve));
    expect(gate.isOpen).toBe(true);
    refuses = false;
    clock.advance(1_000);
    expect(await call).toBe("through");
  });

  it.each<[string, () => unknown]>([
    ["what throws whatever it is asked, but for then", unlessThen],
    ["the same in a promise's place", () => unlessThen(Promise.resolve())],
    ["a promise that is frozen", () => Object.freeze(Promise.resolve())],
    [
      "a promise that says it is none of the usual class",
      () => Object.setPrototypeOf(Promise.resolve(), Object.create(Promise.prototype)),
    ],
  ])("returned by a handler are results, also while a watchdog looks on: %s", async (_, make) => {
    const names = [name(), name(), name(), name()] as const;
    const queue = instrument(new FifoQueue<unknown>(), { name: names[0] });
    const dog = new Watchdog({ stallThresholdMs: Number.POSITIVE_INFINITY }).watch(queue).start();
    try {
      const pool = new WorkerPool(queue, () => make());
      await queue.putMany([make(), 2]);
      await queue.join();
      expect(pool.counts).toMatchObject({ done: 2, failed: 0 });
      await instrument(new PQueue(), { name: names[1] }).add(() => make());
      const promised = fastq.promise(
        instrumentHandler(async () => make(), { name: names[2] }),
        1,
      );
      await instrument(promised, { name: names[2] }).push(make());
      const worker = (_: unknown, done: (error: null) => void) => {
        done(null);
        return make();
      };
      const called = fastq(instrumentHandler(worker, { name: names[3] }), 1);
      instrument(called, { name: names[3] });
      await new Promise((resolve) => called.push(make(), resolve as never));
      await pool.drain();
    } finally {
      await dog.stop();
    }
  });

  it("a signal's reason that throws when it is asked for rejects, and waits for nothing", async () => {
    const controller = new AbortController();
    controller.abort(bomb());
    const queue = new FifoQueue<number>();
    await expect(queue.get({ signal: controller.signal }).then(undefined, () => "rejected")).resolves.toBe(
      "rejected",
    );
    expect(await Promise.allSettled([queue.put(1)])).toMatchObject([{ status: "fulfilled" }]);
  });
});
