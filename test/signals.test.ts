import { getEventListeners } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FifoQueue } from "../src/queue/fifo-queue.js";
import { Gate } from "../src/worker/gate.js";
import { runGroup } from "../src/worker/group.js";
import { settled } from "./worker/by-hand.js";

afterEach(() => void vi.restoreAllMocks());

const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

describe("however many wait on one signal", () => {
  it("it has one listener, over queues, gates and groups, and none when they are done", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const outer = new AbortController();
    const signal = AbortSignal.any([outer.signal, new AbortController().signal]);
    const gate = new Gate({ name: "downstream", concurrency: 1 });
    void gate.run(() => new Promise(() => {}));
    const waits: Promise<unknown>[] = [];
    for (let i = 0; i < 30; i++) {
      waits.push(gate.run(() => {}, { signal }));
      waits.push(new FifoQueue<number>().get({ signal }));
      waits.push(runGroup(async (group) => group.run(({ signal }) => aborted(signal)), { signal }));
    }
    await settled();
    expect(listeners(signal)).toBe(1);
    expect(listeners(outer.signal)).toBe(0);
    outer.abort(new Error("over"));
    for (const wait of waits) await expect(wait).rejects.toThrow("over");
    await settled();
    expect(listeners(signal)).toBe(0);
    expect(warn).not.toHaveBeenCalled();
  });

  it("it has one listener over several copies of the library, and none when they are done", async () => {
    vi.resetModules();
    const { FifoQueue: OtherQueue } = await import("../src/queue/fifo-queue.js");
    expect(OtherQueue).not.toBe(FifoQueue);
    const outer = new AbortController();
    const { signal } = outer;
    const given = [FifoQueue, OtherQueue, OtherQueue].map((Queue) => new Queue<number>().get({ signal }));
    const served = [FifoQueue, OtherQueue].map((Queue) => {
      const queue = new Queue<number>();
      const get = queue.get({ signal });
      queue.tryPut(1);
      return get;
    });
    expect(await Promise.all(served)).toEqual([1, 1]);
    await settled();
    expect(listeners(signal)).toBe(1);
    outer.abort(new Error("over"));
    for (const wait of given) await expect(wait).rejects.toThrow("over");
    await settled();
    expect(listeners(signal)).toBe(0);
    const late = Array.from([FifoQueue, OtherQueue], (Queue) => new Queue<number>().get({ signal }));
    for (const wait of late) await expect(wait).rejects.toThrow("over");
    await settled();
    expect(listeners(signal)).toBe(0);
  });

  it("a wait that another one's end has ended hears nothing more", async () => {
    const { signal, abort } = controller();
    const gate = new Gate({ name: "downstream", concurrency: 1 });
    const first = gate.run(() => aborted(signal));
    const second = gate.run(() => "second", { signal });
    const third = gate.run(() => "third");
    abort(new Error("over"));
    await expect(first).rejects.toThrow("over");
    await expect(second).rejects.toThrow("over");
    expect(await third).toBe("third");
    expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
  });
});

/** What looks like a signal, and can't be listened to. */
const broken: [string, unknown][] = [
  ["lacks addEventListener", { aborted: false, reason: undefined }],
  ["lacks removeEventListener", { aborted: false, reason: undefined, addEventListener() {} }],
  [
    "has an addEventListener that is no function",
    { aborted: false, reason: undefined, addEventListener: 1, removeEventListener() {} },
  ],
  [
    "throws in addEventListener",
    {
      aborted: false,
      reason: undefined,
      addEventListener() {
        throw new Error("not today");
      },
      removeEventListener() {},
    },
  ],
  [
    "throws in its getter",
    {
      get aborted() {
        throw new Error("not today");
      },
      reason: undefined,
      addEventListener() {},
      removeEventListener() {},
    },
  ],
  [
    "is a signal of Node's whose method was replaced",
    Object.assign(new AbortController().signal, {
      addEventListener() {
        throw new Error("not today");
      },
    }),
  ],
];

describe.each(broken)("a signal that %s", (_, given) => {
  const signal = given as AbortSignal;
  const refused = { name: "InvalidOptionTypeError", option: "signal" };

  it("is refused at once by a queue, which has booked nothing", async () => {
    const queue = new FifoQueue<number>({ capacity: 1 });
    await expect(queue.get({ signal })).rejects.toMatchObject(refused);
    queue.tryPut(1);
    await expect(queue.put(2, { signal })).rejects.toMatchObject(refused);
    await expect(queue.putMany([3, 4], { signal })).rejects.toMatchObject(refused);
    await expect(queue.join({ signal })).rejects.toMatchObject(refused);
    expect(queue.tryGet()).toBe(1);
    await settled();
    expect(queue.size).toBe(0);
    queue.tryPut(5);
    expect(queue.size).toBe(1);
  });

  it("is refused at once by a gate and a group", async () => {
    const gate = new Gate({ name: "downstream", concurrency: 1 });
    await expect(gate.run(() => {}, { signal })).rejects.toMatchObject(refused);
    expect(gate).toMatchObject({ inFlight: 0, waiting: 0 });
    await expect(runGroup(() => {}, { signal })).rejects.toMatchObject(refused);
  });
});

it("a wait whose signal turns bad after it was looked at is over, and never comes in", async () => {
  const queue = new FifoQueue<number>({ capacity: 1 });
  queue.tryPut(1);
  let looks = 0;
  const options = {
    get signal() {
      if (++looks > 1) throw new Error("gone");
      return new AbortController().signal;
    },
  };
  await expect(queue.put(2, options)).rejects.toThrow("gone");
  expect(queue.tryGet()).toBe(1);
  expect(queue.size).toBe(0);
});

it("a signal of another library's that can be listened to is as good as Node's", async () => {
  const listening = new Set<() => void>();
  const signal = {
    aborted: false,
    reason: undefined as unknown,
    addEventListener: (_: string, listener: () => void) => void listening.add(listener),
    removeEventListener: (_: string, listener: () => void) => void listening.delete(listener),
  };
  const get = new FifoQueue<number>().get({ signal: signal as never });
  expect(listening.size).toBe(1);
  signal.reason = new Error("over");
  for (const listener of listening) listener();
  await expect(get).rejects.toThrow("over");
  await settled();
  expect(listening.size).toBe(0);
});

function controller() {
  const it = new AbortController();
  return { signal: it.signal, abort: (reason: unknown) => it.abort(reason) };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
