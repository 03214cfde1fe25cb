import { getEventListeners } from "node:events";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  AlreadySettledError,
  PutManyAbortedError,
  QueueFullError,
  QueueShutDownError,
  QueueTimeoutError,
  TaskDoneError,
} from "../../src/base/errors.js";
import type { DropReason } from "../../src/contracts/index.js";
import type { PutOptions, QueueOptions } from "../../src/queue/options.js";
import type { Queue } from "../../src/queue/queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";

export type Make = <T>(options?: QueueOptions<T>) => Queue<T, PutOptions>;

/** Has the promise been settled, once everything that is under way has run? */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  for (let i = 0; i < 4; i++) await undefined;
  return settled;
}

/** What the promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${String(value)}`);
    },
    (error) => error,
  );
}

/** What every queue does, whatever its order. `order` says which of three equal items, put one after the other, comes when. */
export function describeQueue(name: string, make: Make, order: readonly [number, number, number]): void {
  const clock = () => new FakeClock();

  describe(name, () => {
    describe("putting and getting", () => {
      it("gives out what was put in, in its order", async () => {
        const queue = make<number>();
        for (const item of [0, 1, 2]) await queue.put(item);
        expect([await queue.get(), await queue.get(), await queue.get()]).toEqual(order);
      });

      it("takes any value but undefined: null, NaN, 0, an empty string, false", async () => {
        const queue = make<unknown>();
        for (const item of [null, Number.NaN, 0, "", false]) {
          await queue.put(item);
          expect(await queue.get()).toBe(item);
          expect(queue.tryPut(item)).toBe(true);
          expect(queue.tryGet()).toBe(item);
        }
      });

      it("is unbounded unless told otherwise", () => {
        const queue = make<number>();
        expect(queue.capacity).toBe(Number.POSITIVE_INFINITY);
        for (let i = 0; i < 10_000; i++) queue.tryPut(i);
        expect([queue.size, queue.full, queue.empty]).toEqual([10_000, false, false]);
      });

      it("knows when it is empty and when it is full", () => {
        const queue = make<number>({ capacity: 1 });
        expect([queue.size, queue.empty, queue.full]).toEqual([0, true, false]);
        queue.tryPut(1);
        expect([queue.size, queue.empty, queue.full]).toEqual([1, false, true]);
      });

      it("shows with peek what is next, and leaves it there", () => {
        const queue = make<number>();
        expect(queue.peek()).toBeUndefined();
        for (const item of [0, 1, 2]) queue.tryPut(item);
        expect([queue.peek(), queue.peek(), queue.size]).toEqual([order[0], order[0], 3]);
        expect(queue.tryGet()).toBe(order[0]);
      });

      it("shows in a log how much is in it, and nothing of what", async () => {
        const queue = make<string>({ capacity: 3 });
        await queue.putMany(["a secret", "another"]);
        expect(JSON.stringify(queue)).toBe('{"size":2,"delayed":0,"capacity":3}');
        expect(inspect(queue)).toMatch(/^\w+Queue { size: 2, delayed: 0, capacity: 3 }$/);
      });

      it("hands an item to the consumer that has waited longest, and none barges past", async () => {
        const queue = make<string>();
        const first = queue.get();
        const second = queue.get();
        queue.tryPut("a");
        expect(queue.tryGet()).toBeUndefined();
        const third = queue.get();
        queue.tryPut("b");
        queue.tryPut("c");
        expect([await first, await second, await third]).toEqual(["a", "b", "c"]);
      });

      it("answers tryGet with undefined and tryPut with false where the other call would wait", () => {
        const drops: unknown[] = [];
        const queue = make<number>({ capacity: 1, onDrop: (...drop) => drops.push(drop) });
        expect(queue.tryGet()).toBeUndefined();
        expect([queue.tryPut(1), queue.tryPut(2)]).toEqual([true, false]);
        expect([queue.size, drops]).toEqual([1, []]);
      });

      it("resolves every put that needn't wait, and every one that had to", async () => {
        const queue = make<number>({ capacity: 1 });
        expect(await queue.put(1)).toBeUndefined();
        const waiting = queue.put(2);
        expect(queue.tryGet()).toBe(1);
        expect(await waiting).toBeUndefined();
      });
    });

    describe("backpressure", () => {
      it("makes puts wait for room and lets them in, in order of arrival", async () => {
        const queue = make<number>({ capacity: 1 });
        await queue.put(1);
        const second = queue.put(2);
        const third = queue.put(3);
        expect(await isSettled(second)).toBe(false);
        expect(await queue.get()).toBe(1);
        expect([await isSettled(second), await isSettled(third)]).toEqual([true, false]);
        expect([await queue.get(), await queue.get()]).toEqual([2, 3]);
      });

      it("lets neither tryPut nor put past a put that waits", async () => {
        const queue = make<number>({ capacity: 1 });
        queue.tryPut(1);
        const waiting = queue.putMany([2, 3]);
        expect(queue.tryPut(9)).toBe(false);
        expect(await queue.get()).toBe(1);
        expect(queue.tryPut(9)).toBe(false);
        expect([await queue.get(), await queue.get()]).toEqual([2, 3]);
        await waiting;
        expect(queue.tryPut(9)).toBe(true);
      });

      it("lets waiting puts in when its capacity is raised, as many as there is room for", async () => {
        const queue = make<number>({ capacity: 1 });
        queue.tryPut(1);
        const puts = [2, 3, 4].map((item) => queue.put(item));
        queue.capacity = 3;
        expect(queue.size).toBe(3);
        expect(await Promise.all(puts.map(isSettled))).toEqual([true, true, false]);
        queue.capacity = Number.POSITIVE_INFINITY;
        expect(await isSettled(puts[2]!)).toBe(true);
      });

      it("drops nothing when its capacity is lowered, and takes nothing in until there is room again", async () => {
        const queue = make<number>({ capacity: 4 });
        for (let i = 0; i < 4; i++) queue.tryPut(i);
        queue.capacity = 2;
        expect([queue.size, queue.full]).toEqual([4, true]);
        const put = queue.put(9);
        await queue.get();
        await queue.get();
        expect(await isSettled(put)).toBe(false);
        await queue.get();
        expect(await isSettled(put)).toBe(true);
      });

      it("keeps its capacity when a bad one is set", () => {
        const queue = make<number>({ capacity: 4 });
        for (const bad of [0, -1, Number.NaN, 1.5, "10", null, undefined]) {
          expect(() => {
            queue.capacity = bad as number;
          }).toThrow(/^capacity must be a whole number from 1, or Infinity, not /);
        }
        expect(queue.capacity).toBe(4);
      });

      it("rejects at once, with the item in the error, when told to reject", async () => {
        const drops: unknown[] = [];
        const options = { capacity: 1, whenFull: "reject" as const };
        const queue = make<string>({ ...options, onDrop: (...drop) => drops.push(drop) });
        await queue.put("in");
        const error = await errorOf(queue.put("out"));
        expect(error).toBeInstanceOf(QueueFullError);
        expect(error).toMatchObject({ name: "QueueFullError", code: "QUEUE_FULL", capacity: 1, item: "out" });
        expect(drops).toEqual([["out", "rejected"]]);
        expect(queue.tryPut("out")).toBe(false);
        expect(drops).toHaveLength(1);
      });
    });

    describe("putMany and getMany", () => {
      it("put in all items for one await", async () => {
        const queue = make<number>();
        await queue.putMany(new Set([0, 1, 2]));
        expect(await queue.getMany(10)).toEqual(order);
      });

      it("keep the order of a batch that waits, as one waiter", async () => {
        const queue = make<number>({ capacity: 1 });
        const batch = queue.putMany([1, 2, 3]);
        const late = queue.put(4);
        const got: number[] = [];
        for (let i = 0; i < 3; i++) got.push(await queue.get());
        expect([await isSettled(batch), await isSettled(late)]).toEqual([true, true]);
        got.push(await queue.get());
        expect(got).toEqual([1, 2, 3, 4]);
      });

      it("say in the error how many came in and hand back the rest", async () => {
        const queue = make<number>({ capacity: 2, whenFull: "reject" });
        const error = await errorOf(queue.putMany([1, 2, 3, 4]));
        expect(error).toMatchObject({ code: "QUEUE_FULL", accepted: 2, item: 3, items: [3, 4] });
        expect(queue.size).toBe(2);
      });

      it("hand back the rest of a batch that is aborted while it waits", async () => {
        const queue = make<number>({ capacity: 1 });
        const controller = new AbortController();
        const batch = queue.putMany([1, 2, 3], { signal: controller.signal });
        controller.abort("enough");
        const error = await errorOf(batch);
        expect(error).toBeInstanceOf(PutManyAbortedError);
        expect(error).toMatchObject({ name: "AbortError", reason: "enough", accepted: 1, items: [2, 3] });
        expect(queue.size).toBe(1);
      });

      it("hand back the rest of a batch that runs out of time, and at shutdown", async () => {
        const time = clock();
        const queue = make<number>({ capacity: 1, clock: time });
        const late = queue.putMany([1, 2], { timeoutMs: 5 });
        time.advance(5);
        expect(await errorOf(late)).toMatchObject({ code: "QUEUE_TIMEOUT", accepted: 1, items: [2] });
        const cut = queue.putMany([3, 4]);
        queue.shutdown();
        expect(await errorOf(cut)).toMatchObject({ code: "QUEUE_SHUT_DOWN", accepted: 0, items: [3, 4] });
        const never = queue.putMany([5, 6]);
        expect(await errorOf(never)).toMatchObject({ code: "QUEUE_SHUT_DOWN", accepted: 0, items: [5, 6] });
      });

      it("put in nothing of a batch with a bad item", async () => {
        const queue = make<number | undefined>();
        expect(await errorOf(queue.putMany([1, undefined]))).toBeInstanceOf(TypeError);
        expect(queue.size).toBe(0);
      });

      it("take nothing from an iterator when the options are bad or the signal is aborted", async () => {
        const queue = make<number>();
        const iterator = [1, 2].values();
        await errorOf(queue.putMany(iterator, { timeoutMs: -1 }));
        expect(await errorOf(queue.putMany(iterator, { signal: AbortSignal.abort("no") }))).toBe("no");
        expect([...iterator]).toEqual([1, 2]);
        expect(await errorOf(queue.putMany([], { timeoutMs: -1 }))).toBeInstanceOf(RangeError);
      });

      it("refuse what is no list", async () => {
        const queue = make<unknown>();
        for (const bad of [undefined, null, 5, "text", {}]) {
          expect(await errorOf(queue.putMany(bad as Iterable<unknown>))).toMatchObject({ option: "items" });
        }
      });

      it("resolve at once for an empty batch", async () => {
        const queue = make<number>({ capacity: 1 });
        queue.tryPut(1);
        expect(await isSettled(queue.putMany([]))).toBe(true);
      });

      it("wait for the first item, then take what is there, up to max", async () => {
        const queue = make<number>();
        const waiting = queue.getMany(5);
        expect(await isSettled(waiting)).toBe(false);
        queue.tryPut(7);
        expect(await waiting).toEqual([7]);
        for (const item of [0, 1, 2]) queue.tryPut(item);
        expect(await queue.getMany(2)).toEqual(order.slice(0, 2));
      });

      it("take the items of waiting puts too, as room is made for them", async () => {
        const queue = make<number>({ capacity: 1 });
        const batch = queue.putMany([1, 2, 3]);
        expect(await queue.getMany(10)).toEqual([1, 2, 3]);
        await batch;
      });

      it("refuse a max that is no whole number from 1", async () => {
        const queue = make<number>();
        for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "3", undefined, null]) {
          expect(await errorOf(queue.getMany(bad as number))).toMatchObject({ option: "max", value: bad });
        }
      });
    });

    describe("signals", () => {
      it("reject a waiting get, put and join with the signal's own reason", async () => {
        const queue = make<number>({ capacity: 1 });
        const reason = new Error("the caller has gone");
        const controller = new AbortController();
        const { signal } = controller;
        const get = queue.get({ signal });
        await isSettled(get);
        controller.abort(reason);
        expect(await errorOf(get)).toBe(reason);
        const second = new AbortController();
        queue.tryPut(1);
        const put = queue.put(2, { signal: second.signal });
        const join = queue.join({ signal: second.signal });
        second.abort();
        expect(await errorOf(put)).toMatchObject({ name: "AbortError" });
        expect(await errorOf(join)).toBe(second.signal.reason);
        expect(queue.size).toBe(1);
      });

      it("reject at once where they are aborted already, and change nothing", async () => {
        const queue = make<number>();
        queue.tryPut(1);
        const signal = AbortSignal.abort("gone");
        expect(await errorOf(queue.get({ signal }))).toBe("gone");
        expect(await errorOf(queue.put(2, { signal }))).toBe("gone");
        expect(await errorOf(queue.join({ signal }))).toBe("gone");
        expect([queue.size, queue.tryGet()]).toEqual([1, 1]);
        expect(getEventListeners(signal, "abort")).toHaveLength(0);
      });

      it("have one listener while many wait, and none a moment after", async () => {
        const queue = make<number>({ capacity: 1 });
        const { signal } = new AbortController();
        const listeners = () => getEventListeners(signal, "abort").length;
        const gets = Array.from({ length: 100 }, () => queue.get({ signal }));
        expect(listeners()).toBe(1);
        for (let i = 0; i < 100; i++) queue.tryPut(i);
        await Promise.all(gets);
        expect(listeners()).toBe(0);
        queue.tryPut(0);
        const puts = Array.from({ length: 50 }, (_, i) => queue.put(i, { signal }));
        const joins = Array.from({ length: 50 }, () => queue.join({ signal }));
        expect(listeners()).toBe(1);
        for (let i = 0; i < 51; i++) await queue.get();
        await Promise.all(puts);
        for (let i = 0; i < 151; i++) queue.taskDone();
        await Promise.all(joins);
        expect(listeners()).toBe(0);
      });

      it("have no listener left after an abort, a timeout or a shutdown", async () => {
        const time = clock();
        const queue = make<number>({ clock: time });
        const controllers = [new AbortController(), new AbortController(), new AbortController()];
        const gets = controllers.map(({ signal }, i) =>
          queue.get({ signal, timeoutMs: i === 1 ? 5 : undefined }),
        );
        const all = Promise.allSettled(gets);
        controllers[0]!.abort();
        time.advance(5);
        queue.shutdown();
        expect((await all).every(({ status }) => status === "rejected")).toBe(true);
        await isSettled(all);
        expect(controllers.map(({ signal }) => getEventListeners(signal, "abort").length)).toEqual([0, 0, 0]);
        expect(time.pending).toBe(0);
      });

      it("never need a listener where no caller has to wait", async () => {
        const queue = make<number>();
        const { signal } = new AbortController();
        const put = queue.put(1, { signal });
        const get = queue.get({ signal });
        expect(getEventListeners(signal, "abort")).toHaveLength(0);
        await Promise.all([put, get]);
      });

      it("take the aborted get out of the line: the item goes to the next one", async () => {
        const queue = make<number>();
        const controller = new AbortController();
        const aborted = queue.get({ signal: controller.signal });
        const next = queue.get();
        controller.abort();
        queue.tryPut(1);
        await errorOf(aborted);
        expect(await next).toBe(1);
      });

      it("take the aborted put out of the line: its item never comes in, and the next one does", async () => {
        const queue = make<number>({ capacity: 1 });
        const controller = new AbortController();
        queue.tryPut(1);
        const aborted = queue.put(2, { signal: controller.signal });
        const next = queue.put(3);
        controller.abort();
        expect(await queue.get()).toBe(1);
        await Promise.all([errorOf(aborted), next]);
        expect([queue.tryGet(), queue.tryGet()]).toEqual([3, undefined]);
      });

      it("that come after the hand-over change nothing: the item is the consumer's", async () => {
        const queue = make<number>();
        const controller = new AbortController();
        const get = queue.get({ signal: controller.signal });
        queue.tryPut(1);
        controller.abort();
        expect(await get).toBe(1);
      });

      it("still reach a caller that waits again at once, as a consumer in its loop does", async () => {
        const queue = make<number>();
        const controller = new AbortController();
        const { signal } = controller;
        const first = queue.get({ signal });
        queue.tryPut(1);
        const second = queue.get({ signal });
        await first;
        expect(getEventListeners(signal, "abort")).toHaveLength(1);
        controller.abort("gone");
        expect(await errorOf(second)).toBe("gone");
      });

      it("may be AbortSignal.any and AbortSignal.timeout as well", async () => {
        const queue = make<number>();
        const controller = new AbortController();
        const get = queue.get({ signal: AbortSignal.any([controller.signal]) });
        controller.abort("any");
        expect(await errorOf(get)).toBe("any");
      });

      it("have to be signals", async () => {
        const queue = make<number>();
        for (const bad of [null, {}, "signal", new AbortController()]) {
          expect(await errorOf(queue.get({ signal: bad as AbortSignal }))).toMatchObject({
            option: "signal",
          });
        }
      });
    });

    describe("time limits", () => {
      it("reject a put, a get and a join that wait longer, naming the limit", async () => {
        const time = clock();
        const queue = make<string>({ capacity: 1, clock: time });
        const get = queue.get({ timeoutMs: 10 });
        time.advance(9.5);
        expect(await isSettled(get)).toBe(false);
        time.advance(0.5);
        const error = await errorOf(get);
        expect(error).toBeInstanceOf(QueueTimeoutError);
        expect(error).toMatchObject({ code: "QUEUE_TIMEOUT", operation: "get", timeoutMs: 10 });
        queue.tryPut("in");
        const put = queue.put("out", { timeoutMs: 20 });
        const join = queue.join({ timeoutMs: 30 });
        time.advance(30);
        expect(await errorOf(put)).toMatchObject({ operation: "put", timeoutMs: 20, item: "out" });
        expect(await errorOf(join)).toMatchObject({ operation: "join", timeoutMs: 30 });
        expect(queue.size).toBe(1);
      });

      it("share one timer, which is gone when it is not needed", async () => {
        const time = clock();
        const queue = make<number>({ clock: time });
        const gets = Array.from({ length: 100 }, (_, i) => queue.get({ timeoutMs: 100 + ((i * 37) % 100) }));
        expect(time.pending).toBe(1);
        const outcomes = Promise.allSettled(gets);
        time.advance(150);
        expect(time.pending).toBe(1);
        for (let i = 0; i < 100; i++) queue.tryPut(i);
        expect(time.pending).toBe(0);
        expect((await outcomes).filter(({ status }) => status === "rejected")).toHaveLength(51);
        expect(queue.size).toBe(51);
      });

      it("of Infinity need no timer, and neither does a call that needn't wait", async () => {
        const time = clock();
        const queue = make<number>({ clock: time });
        const get = queue.get({ timeoutMs: Number.POSITIVE_INFINITY });
        expect(time.pending).toBe(0);
        await queue.put(1, { timeoutMs: 5 });
        await get;
        expect(time.pending).toBe(0);
      });

      it("may be longer than the longest delay of a timer", async () => {
        const time = clock();
        const queue = make<number>({ clock: time });
        const get = queue.get({ timeoutMs: 2 ** 31 + 5 });
        time.advance(2 ** 31);
        expect(await isSettled(get)).toBe(false);
        time.advance(5);
        expect(await errorOf(get)).toMatchObject({ code: "QUEUE_TIMEOUT" });
        expect(time.pending).toBe(0);
      });

      it("of 0 reject as soon as the timer can, and still take what is there", async () => {
        const time = clock();
        const queue = make<number>({ clock: time });
        const get = queue.get({ timeoutMs: 0 });
        time.advance(0);
        expect(await errorOf(get)).toMatchObject({ timeoutMs: 0 });
        queue.tryPut(1);
        expect(await queue.get({ timeoutMs: 0 })).toBe(1);
      });

      it("have to be numbers from 0", async () => {
        const queue = make<number>();
        for (const bad of [-1, Number.NaN, "5", null]) {
          const error = await errorOf(queue.get({ timeoutMs: bad as number }));
          expect(error).toMatchObject({ option: "timeoutMs", value: bad });
        }
      });

      it("are kept by a timer that rings late: all that are over reject, in order", async () => {
        const time = clock();
        const queue = make<number>({ clock: time });
        const order: number[] = [];
        const gets = [30, 10, 20].map((timeoutMs) =>
          queue.get({ timeoutMs }).catch(() => order.push(timeoutMs)),
        );
        time.block(100);
        time.advance(0);
        await Promise.all(gets);
        expect(order).toEqual([10, 20, 30]);
      });
    });

    describe("taskDone and join", () => {
      it("resolves join when every item taken is done", async () => {
        const queue = make<number>();
        await queue.putMany([1, 2]);
        const join = queue.join();
        await queue.get();
        queue.taskDone();
        queue.tryGet();
        expect(await isSettled(join)).toBe(false);
        queue.taskDone();
        expect(await isSettled(join)).toBe(true);
      });

      it("resolves join at once when there is nothing to wait for", async () => {
        expect(await isSettled(make<number>().join())).toBe(true);
      });

      it("throws on a taskDone more than gets, and goes on counting rightly", async () => {
        const queue = make<number>();
        await queue.putMany([1, 2]);
        expect(() => queue.taskDone()).toThrow(TaskDoneError);
        await queue.get();
        queue.taskDone();
        expect(() => queue.taskDone()).toThrow(expect.objectContaining({ code: "QUEUE_TASK_DONE" }));
        expect(await isSettled(queue.join())).toBe(false);
      });

      it("closes no delivery with taskDone", async () => {
        const queue = make<number>();
        queue.tryPut(1);
        const delivery = await queue.receive();
        expect(() => queue.taskDone()).toThrow(TaskDoneError);
        delivery.done();
        await queue.join();
      });

      it("keeps join waiting for items that are put while it waits", async () => {
        const queue = make<number>();
        queue.tryPut(1);
        const join = queue.join();
        queue.tryPut(2);
        await queue.getMany(2);
        queue.taskDone();
        expect(await isSettled(join)).toBe(false);
        queue.taskDone();
        await join;
      });

      it("does not count a put that waits, or was refused", async () => {
        const queue = make<number>({ capacity: 1, whenFull: "reject" });
        queue.tryPut(1);
        await errorOf(queue.put(2));
        queue.tryGet();
        queue.taskDone();
        expect(await isSettled(queue.join())).toBe(true);
      });

      it("counts what is dropped as over", async () => {
        const queue = make<number>();
        queue.tryPut(1);
        const join = queue.join();
        queue.shutdown({ immediate: true });
        expect(await isSettled(join)).toBe(true);
      });
    });

    describe("deliveries", () => {
      it("bring the item with its facts", async () => {
        const time = clock();
        const queue = make<string>({ clock: time });
        await queue.put("a", { correlationId: "request-7" });
        time.advance(30);
        const delivery = await queue.receive();
        expect(delivery).toMatchObject({
          item: "a",
          tier: "default",
          priority: 0,
          attempt: 1,
          enqueuedAt: 1_000,
          takenAt: 1_030,
          waitMs: 30,
          correlationId: "request-7",
        });
      });

      it("know no times in a queue that needs no clock, whether they waited or not", async () => {
        const queue = make<string>();
        queue.tryPut("a");
        const waiting = [queue.receive(), queue.receive()];
        queue.tryPut("b");
        for (const { enqueuedAt, takenAt, waitMs } of await Promise.all(waiting)) {
          expect([enqueuedAt, takenAt, waitMs]).toEqual([undefined, undefined, undefined]);
        }
      });

      it("make a correlation ID when it is first read, and keep it through retries", async () => {
        const queue = make<string>();
        queue.tryPut("a");
        const delivery = await queue.receive();
        const { correlationId } = delivery;
        expect(correlationId).toMatch(/^[0-9a-f-]{36}$/);
        expect(delivery.correlationId).toBe(correlationId);
        delivery.retry();
        expect((await queue.receive()).correlationId).toBe(correlationId);
      });

      it("run a function, give back what it gives, and settle nothing", async () => {
        const queue = make<string>();
        queue.tryPut("a");
        const delivery = await queue.receive();
        expect(delivery.run(() => 5)).toBe(5);
        expect(() =>
          delivery.run(() => {
            throw new Error("mine");
          }),
        ).toThrow("mine");
        expect(await isSettled(queue.join())).toBe(false);
        delivery.done();
      });

      it("are settled once: whatever comes second is an error that names both calls", async () => {
        for (const first of ["done", "fail", "retry"] as const) {
          for (const second of ["done", "fail", "retry"] as const) {
            const queue = make<string>();
            queue.tryPut("a");
            const delivery = await queue.receive();
            delivery[first]();
            expect(() => delivery[second]()).toThrow(AlreadySettledError);
            expect(() => delivery[second]()).toThrow(
              expect.objectContaining({
                code: "QUEUE_ALREADY_SETTLED",
                operation: second,
                settledBy: first,
                message: `${second}() came after ${first}(): a delivery is settled once`,
              }),
            );
            expect(queue.size).toBe(first === "retry" ? 1 : 0);
            expect(await isSettled(queue.join())).toBe(first !== "retry");
          }
        }
      });

      it("stay open when a retry is refused for a bad delay", async () => {
        const queue = make<string>();
        queue.tryPut("a");
        const delivery = await queue.receive();
        for (const delayMs of [-1, Number.NaN, "5", null]) {
          expect(() => delivery.retry({ delayMs: delayMs as number })).toThrow(
            /^delayMs must be milliseconds/,
          );
        }
        expect(() => delivery.retry(null as never)).toThrow(TypeError);
        delivery.done();
        expect(await isSettled(queue.join())).toBe(true);
      });
    });

    describe("retries", () => {
      it("come back as a new arrival with the next attempt's number, and keep join open", async () => {
        const queue = make<string>();
        queue.tryPut("a");
        (await queue.receive()).retry();
        const join = queue.join();
        const again = await queue.receive();
        expect([again.item, again.attempt]).toEqual(["a", 2]);
        expect(await isSettled(join)).toBe(false);
        again.fail(new Error("for good"));
        expect(await isSettled(join)).toBe(true);
      });

      it("come back when their delay is over, which is no wait, on the queue's one timer", async () => {
        const time = clock();
        const queue = make<string>({ clock: time });
        queue.tryPut("a");
        queue.tryPut("b");
        for (const delivery of [await queue.receive(), await queue.receive()])
          delivery.retry({ delayMs: 100 });
        expect([queue.size, queue.empty, queue.delayed, time.pending]).toEqual([0, true, 2, 1]);
        time.advance(99);
        expect(queue.tryGet()).toBeUndefined();
        time.advance(1);
        expect([queue.size, queue.delayed, time.pending]).toEqual([2, 0, 0]);
        time.advance(7);
        expect((await queue.receive()).waitMs).toBe(7);
      });

      it("go straight to a consumer that waits", async () => {
        const time = clock();
        const queue = make<string>({ clock: time });
        queue.tryPut("a");
        (await queue.receive()).retry({ delayMs: 5 });
        const waiting = queue.receive();
        time.advance(5);
        expect(await waiting).toMatchObject({ item: "a", attempt: 2, waitMs: 0 });
      });

      it("free their slot meanwhile, and need none to come back", async () => {
        const time = clock();
        const queue = make<string>({ capacity: 1, clock: time });
        queue.tryPut("a");
        const delivery = await queue.receive();
        queue.tryPut("b");
        const waiting = queue.put("c");
        delivery.retry({ delayMs: 5 });
        time.advance(5);
        expect(queue.size).toBe(2);
        queue.tryGet();
        expect(await isSettled(waiting)).toBe(false);
        queue.tryGet();
        expect(await isSettled(waiting)).toBe(true);
      });

      it("keep a graceful shutdown open until they came back", async () => {
        const time = clock();
        const queue = make<string>({ clock: time });
        queue.tryPut("a");
        (await queue.receive()).retry({ delayMs: 5 });
        queue.shutdown();
        const waiting = queue.receive();
        const beyond = queue.get();
        expect(queue.tryGet()).toBeUndefined();
        time.advance(5);
        expect((await waiting).attempt).toBe(2);
        expect(await errorOf(beyond)).toBeInstanceOf(QueueShutDownError);
        expect(() => queue.tryGet()).toThrow(QueueShutDownError);
      });

      it("are dropped by an immediate shutdown, those that come after it too, and leave no timer", async () => {
        const time = clock();
        const drops: unknown[] = [];
        const queue = make<string>({ clock: time, onDrop: (...drop) => drops.push(drop) });
        queue.tryPut("a");
        queue.tryPut("b");
        const [first, second] = [await queue.receive(), await queue.receive()];
        first.retry({ delayMs: 5 });
        queue.shutdown({ immediate: true });
        second.retry();
        expect(drops).toEqual([
          [first.item, "shutdown"],
          [second.item, "shutdown"],
        ]);
        expect([time.pending, queue.delayed, queue.size]).toEqual([0, 0, 0]);
        expect(await isSettled(queue.join())).toBe(true);
      });
    });

    describe("deadlines", () => {
      const make_ = () => {
        const time = clock();
        const drops: [number, DropReason][] = [];
        const queue = make<number>({ capacity: 2, clock: time, onDrop: (...drop) => drops.push(drop) });
        return { time, drops, queue };
      };

      it("serve an item at its deadline, and drop it as expired after it", async () => {
        const { time, drops, queue } = make_();
        await queue.put(1, { deadline: time.wallNow() + 10 });
        await queue.put(2, { deadline: time.wallNow() + 10 });
        time.advance(10);
        const got = await queue.get();
        time.advance(1);
        expect(queue.tryGet()).toBeUndefined();
        expect(drops).toEqual([[3 - got, "expired"]]);
      });

      it("are skipped by every kind of take", async () => {
        const takes: [string, (queue: Queue<number>) => unknown][] = [
          ["get", (queue) => queue.get()],
          ["tryGet", (queue) => queue.tryGet()],
          ["getMany", (queue) => queue.getMany(3).then(([item]) => item)],
          ["receive", (queue) => queue.receive().then(({ item }) => item)],
          ["peek", (queue) => queue.peek()],
          [
            "iteration",
            (queue) =>
              queue[Symbol.asyncIterator]()
                .next()
                .then(({ value }) => value),
          ],
          [
            "deliveries",
            (queue) =>
              queue
                .deliveries()
                .next()
                .then(({ value }) => value?.item),
          ],
        ];
        for (const [, take] of takes) {
          const { time, drops, queue } = make_();
          queue.capacity = 3;
          const past = { deadline: time.wallNow() - 1 };
          queue.tryPut(1, past);
          queue.tryPut(2);
          queue.tryPut(3, past);
          const waiting = queue.put(4, past);
          expect(await take(queue)).toBe(2);
          while (!queue.empty) queue.tryGet();
          expect(drops.toSorted()).toEqual([
            [1, "expired"],
            [3, "expired"],
            [4, "expired"],
          ]);
          expect(await isSettled(waiting)).toBe(true);
        }
      });

      it("in the past are accepted, and dropped when their turn comes", async () => {
        const { time, drops, queue } = make_();
        await queue.put(1, { deadline: time.wallNow() - 5 });
        expect([queue.size, drops]).toEqual([1, []]);
        const get = queue.get();
        expect([queue.size, drops]).toEqual([0, [[1, "expired"]]]);
        await queue.put(2, { deadline: time.wallNow() - 5 });
        expect(drops).toHaveLength(2);
        await queue.put(3);
        expect(await get).toBe(3);
        queue.taskDone();
        expect(await isSettled(queue.join())).toBe(true);
      });

      it("are converted once, at put: a jump of the wall clock moves none", async () => {
        const { time, queue } = make_();
        await queue.put(1, { deadline: time.wallNow() + 10 });
        time.jumpWall(1_000_000);
        time.advance(10);
        expect(await queue.get()).toBe(1);
      });

      it("make room for waiting puts when items expire", async () => {
        const { time, queue, drops } = make_();
        await queue.putMany([1, 2], { deadline: time.wallNow() + 5 });
        const waiting = queue.put(3);
        time.advance(6);
        expect(await queue.get()).toBe(3);
        await waiting;
        queue.tryGet();
        expect(drops.toSorted()).toEqual([
          [1, "expired"],
          [2, "expired"],
        ]);
      });

      it("stay the same through a retry", async () => {
        const { time, queue, drops } = make_();
        await queue.put(1, { deadline: time.wallNow() + 10 });
        (await queue.receive()).retry({ delayMs: 11 });
        time.advance(11);
        expect([queue.size, queue.tryGet(), drops]).toEqual([1, undefined, [[1, "expired"]]]);
      });

      it("have to be finite numbers", async () => {
        const { queue } = make_();
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, "tomorrow", null, new Date()]) {
          const error = await errorOf(queue.put(1, { deadline: bad as number }));
          expect(error).toMatchObject({ option: "deadline", value: bad });
        }
      });
    });

    describe("shutdown", () => {
      it("rejects puts, waiting ones at once, with their item; gets take what is left, then reject", async () => {
        const queue = make<number>({ capacity: 1 });
        queue.tryPut(1);
        const waiting = queue.put(2);
        queue.shutdown();
        expect(await errorOf(waiting)).toMatchObject({ code: "QUEUE_SHUT_DOWN", operation: "put", item: 2 });
        const late = await errorOf(queue.put(3));
        expect(late).toBeInstanceOf(QueueShutDownError);
        expect(late).toMatchObject({ item: 3 });
        expect(() => queue.tryPut(4)).toThrow(expect.objectContaining({ code: "QUEUE_SHUT_DOWN", item: 4 }));
        expect(await queue.get()).toBe(1);
        expect(await errorOf(queue.get())).toMatchObject({ code: "QUEUE_SHUT_DOWN", operation: "get" });
        expect(await errorOf(queue.receive())).toBeInstanceOf(QueueShutDownError);
        expect(await errorOf(queue.getMany(2))).toBeInstanceOf(QueueShutDownError);
        expect(() => queue.tryGet()).toThrow(QueueShutDownError);
        expect(queue.peek()).toBeUndefined();
      });

      it("rejects waiting gets when nothing is left", async () => {
        const queue = make<number>();
        const waiting = queue.get();
        queue.shutdown();
        expect(await errorOf(waiting)).toBeInstanceOf(QueueShutDownError);
      });

      it("drops the rest when immediate, and tells of each item", async () => {
        const drops: unknown[] = [];
        const queue = make<number>({ onDrop: (...drop) => drops.push(drop) });
        await queue.putMany([0, 1, 2]);
        queue.shutdown({ immediate: true });
        expect(drops).toEqual(order.map((item) => [item, "shutdown"]));
        expect(queue.empty).toBe(true);
      });

      it("can be called again, and turned from graceful to immediate", async () => {
        const drops: unknown[] = [];
        const queue = make<number>({ onDrop: (...drop) => drops.push(drop) });
        queue.tryPut(1);
        queue.shutdown();
        queue.shutdown();
        expect(drops).toEqual([]);
        queue.shutdown({ immediate: true });
        queue.shutdown({ immediate: true });
        queue.shutdown();
        expect(drops).toEqual([[1, "shutdown"]]);
      });

      it("is what leaving an `await using` block does, gracefully", async () => {
        const queue = make<number>();
        queue.tryPut(1);
        await queue[Symbol.asyncDispose]();
        expect(await queue.get()).toBe(1);
        expect(await errorOf(queue.put(2))).toBeInstanceOf(QueueShutDownError);
      });

      it("leaves items in flight to their consumers", async () => {
        const queue = make<number>();
        queue.tryPut(1);
        const delivery = await queue.receive();
        queue.shutdown({ immediate: true });
        const join = queue.join();
        expect(await isSettled(join)).toBe(false);
        delivery.done();
        expect(await isSettled(join)).toBe(true);
      });

      it("refuses an `immediate` that is no boolean", () => {
        const queue = make<number>();
        expect(() => queue.shutdown({ immediate: "yes" as never })).toThrow(/^immediate must be a boolean/);
        expect(() => queue.shutdown(null as never)).toThrow(TypeError);
        expect(queue.tryPut(1)).toBe(true);
      });
    });

    describe("iteration", () => {
      it("gives items until the queue is shut down and empty", async () => {
        const queue = make<number>();
        await queue.putMany([0, 1, 2]);
        const got: number[] = [];
        for await (const item of queue) {
          got.push(item);
          queue.taskDone();
          if (got.length === 3) queue.shutdown();
        }
        expect(got).toEqual(order);
        await queue.join();
      });

      it("ends for an iterator that waits when the shutdown comes", async () => {
        const queue = make<number>();
        const items = queue[Symbol.asyncIterator]().next();
        const deliveries = queue.deliveries().next();
        await isSettled(items);
        queue.shutdown();
        expect([await items, await deliveries]).toEqual([
          { done: true, value: undefined },
          { done: true, value: undefined },
        ]);
      });

      it("gives deliveries, to be settled", async () => {
        const queue = make<number>();
        queue.tryPut(1);
        queue.shutdown();
        for await (const delivery of queue.deliveries()) {
          expect(delivery.item).toBe(1);
          delivery.done();
        }
        await queue.join();
      });

      it("that is left takes nothing more, and leaves the rest to others", async () => {
        const queue = make<number>();
        await queue.putMany([0, 1, 2]);
        const items = queue[Symbol.asyncIterator]();
        for await (const _ of items) break;
        expect(await items.next()).toEqual({ done: true, value: undefined });
        expect(queue.size).toBe(2);
      });

      it("shares the items among iterators", async () => {
        const queue = make<number>();
        const got: number[] = [];
        const consume = async () => {
          for await (const item of queue) got.push(item);
        };
        const consumers = [consume(), consume(), consume()];
        for (let i = 0; i < 30; i++) await queue.put(i);
        queue.shutdown();
        await Promise.all(consumers);
        expect(got.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
      });
    });

    describe("bad input", () => {
      it.each([
        ["capacity", [0, -1, Number.NaN, 1.5, "10", null, Number.NEGATIVE_INFINITY, 10n, {}, []]],
        ["whenFull", ["block", null, 1, true]],
        ["evictWhen", [null, true, "yes", {}]],
        ["onDrop", [null, "log", {}]],
        ["clock", [null, 5, {}, { now: Date.now }, Date]],
      ])("of %s is an error that names option and value, at construction", (option, values) => {
        for (const value of values) {
          const error = errorFrom(() => make({ [option]: value }));
          expect(error).toMatchObject({ option, value });
          expect(String((error as Error).message)).toMatch(new RegExp(`^${option} must be .+, not .+`));
          const isRange = (option === "capacity" && typeof value === "number") || value === "block";
          expect(error).toBeInstanceOf(isRange ? RangeError : TypeError);
        }
      });

      it("of the options themselves is an error too", () => {
        for (const bad of [null, 5, "text", () => {}]) {
          expect(() => make(bad as never)).toThrow(/^options must be an object, not /);
        }
      });

      it("is rejected by put and get, never thrown at once; tryPut throws", async () => {
        const queue = make<number | undefined>();
        for (const bad of [null, 5, "text"]) {
          expect(await errorOf(queue.put(1, bad as never))).toMatchObject({ option: "options" });
          expect(await errorOf(queue.get(bad as never))).toMatchObject({ option: "options" });
          expect(await errorOf(queue.receive(bad as never))).toMatchObject({ option: "options" });
          expect(await errorOf(queue.join(bad as never))).toMatchObject({ option: "options" });
        }
        const error = await errorOf(queue.put(undefined));
        expect(error).toBeInstanceOf(TypeError);
        expect(error).toMatchObject({ name: "InvalidOptionTypeError", option: "item" });
        expect(() => queue.tryPut(undefined)).toThrow(TypeError);
        expect(queue.size).toBe(0);
      });

      it("of a correlation ID is an error; of several the first counts, and an empty one is none", async () => {
        const queue = make<number>();
        for (const bad of [5, null, {}, [5]]) {
          const error = await errorOf(queue.put(1, { correlationId: bad as string }));
          expect(error).toMatchObject({ option: "correlationId" });
        }
        await queue.put(1, { correlationId: ["a", "b"] });
        expect((await queue.receive()).correlationId).toBe("a");
        for (const none of ["", [], [""]]) {
          await queue.put(1, { correlationId: none });
          expect((await queue.receive()).correlationId).toMatch(/^[0-9a-f-]{36}$/);
        }
      });
    });
  });
}

function errorFrom(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new Error("expected an exception");
}
