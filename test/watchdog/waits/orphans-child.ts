import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { readFile, watch } from "node:fs/promises";
import http, { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { MessageChannel } from "node:worker_threads";
import PQueue from "p-queue";
import { instrument } from "../../../src/adapters/instrument.js";
import { FifoQueue } from "../../../src/queue/fifo-queue.js";
import { activeTaskMonitor } from "../../../src/telemetry/context/active-task-monitor.js";
import { withCorrelationId } from "../../../src/telemetry/context/correlation.js";
import { waitFor } from "../../../src/waits/wait-for.js";
import { Waits } from "../../../src/waits/waits.js";
import { WorkerPool } from "../../../src/worker/pool.js";

declare const gc: () => void;

const server = createServer(() => {}).listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}/`;
const never = () => new Promise<never>(() => {});
let sharedNever: Promise<never> | undefined = never();
const aDay = 86_400_000;

/** What is still reachable when the collector comes. */
const kept: unknown[] = [];
const byKey = new WeakMap<object, () => void>();
const emitter = new EventEmitter();
const abort = new AbortController();
const cell = new Int32Array(new SharedArrayBuffer(8));
const children: ChildProcess[] = [];
const shared = new Promise((resolve) => kept.push(resolve));
kept.push(emitter, abort);

/** Nothing is left that could wake these. */
const lost: Record<string, () => unknown> = {
  "a promise without a holder": async () => await never(),
  "the same, from a function that is not async": never,
  "the same, further down": async () => {
    const inner = async () => await never();
    await Promise.all([inner(), sleep(1)]);
  },
  "after a timer": async () => {
    await sleep(1);
    await never();
  },
  "after a file": async () => {
    await readFile(import.meta.filename);
    await never();
  },
  "an event of a dropped emitter": async () => await once(new EventEmitter(), "answer"),
  "a dropped emitter's listener": async () =>
    await new Promise((resolve) => new EventEmitter().on("answer", resolve)),
  "two that wait for each other": async () => {
    let wake!: () => void;
    const first = new Promise<void>((resolve) => {
      wake = resolve;
    });
    await first.then(wake);
  },
  "a signal's listener, the signal dropped": async () =>
    await new Promise((resolve) => new AbortController().signal.addEventListener("abort", resolve)),
  "what waitFor names": async () => await waitFor("no one", never()),
  "in another correlation": async () => await withCorrelationId("other", never),
  "a promise that others share": () => sharedNever!,
  "the same once more": () => {
    const promise = sharedNever!;
    sharedNever = undefined;
    return promise;
  },
};

/** Each of these can go on, sooner or later. */
const healthy: Record<string, () => unknown> = {
  "a timer": async () => await sleep(aDay),
  "a timer that holds no process": async () =>
    await new Promise((resolve) => setTimeout(resolve, aDay).unref()),
  "who can settle it is in a list": () => new Promise((resolve) => kept.push(resolve)),
  "who can settle it is in a WeakMap, by a key that is held": async () => {
    const key = {};
    kept.push(key);
    await new Promise<void>((resolve) => byKey.set(key, resolve));
  },
  fetch: async () => await fetch(url),
  "node:http": () =>
    new Promise((resolve, reject) => {
      http.get(url, resolve).on("error", reject);
    }),
  "an emitter": async () => await once(emitter, "answer"),
  "an emitter's listener": () => new Promise((resolve) => emitter.once("answer", resolve)),
  "in another correlation": () =>
    new Promise((resolve) => withCorrelationId("other", () => setTimeout(resolve, aDay))),
  "a server": async () => await once(createServer().listen(0, "127.0.0.1"), "close"),
  "a process": async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    children.push(child);
    await once(child, "exit");
  },
  "a message port": async () => {
    const { port1, port2 } = new MessageChannel();
    kept.push(port2);
    await once(port1, "message");
  },
  "a directory": async () => {
    for await (const _ of watch(tmpdir())) await sleep(aDay);
  },
  "a signal with a timeout": async () => {
    const signal = AbortSignal.timeout(aDay);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  },
  "one of two signals": async () => {
    const signal = AbortSignal.any([AbortSignal.timeout(aDay), abort.signal]);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  },
  "a notification": async () =>
    // biome-ignore lint/suspicious/noExplicitAny: younger than the library of types
    await (Atomics as any).waitAsync(cell, 0, 0).value,
  "lines of a connection": async () => {
    for await (const line of createInterface({ input: connect(port, "127.0.0.1") })) kept.push(line);
  },
  "a broadcast": async () => {
    const channel = new BroadcastChannel("queuescope");
    await new Promise((resolve) => {
      channel.onmessage = resolve;
    });
  },
  "what waitFor names": async () => await waitFor("a day", sleep(aDay)),
  "a generator that a list holds": async () => {
    async function* days() {
      while (true) yield await sleep(aDay);
    }
    for await (const day of days()) kept.push(day);
  },
  "a promise that others share": () => shared,
  "the same once more": () => shared,
  // These can't be told.
  "a callback": () => void emitter.once("answer", () => {}),
  // biome-ignore lint/suspicious/noThenProperty: a thenable
  "a thenable that is no promise": () => ({ then: () => {} }),
  "a handler that is over, of a delivery that is not settled": async () => "over",
  "a handler that failed": async () => {
    throw new Error("failed");
  },
};

const waits = new Waits();
waits.start();
const queue = instrument(new FifoQueue<string>(), { name: "orphans" });
const deliveries = new Map<string, object>();
async function begin(kind: string, handlers: Record<string, () => unknown>) {
  for (const [name, handler] of Object.entries(handlers)) {
    await queue.put(name);
    const delivery = await queue.receive();
    deliveries.set(`${kind}: ${name}`, delivery);
    const result = delivery.run(handler);
    if (result instanceof Promise) result.catch(() => {});
  }
}
await begin("lost", lost);
await begin("healthy", healthy);

// The same in pools and in wrapped queues, whose own lists hold what is in flight.
const { current } = activeTaskMonitor;
activeTaskMonitor.current = {
  ...current!,
  begin(task, carrier) {
    deliveries.set(task.correlationId, task);
    return current!.begin(task, carrier);
  },
};
const jobs = instrument(new FifoQueue<() => unknown>(), { name: "jobs" });
const pool = new WorkerPool(jobs, (job, task) => task.signal && job(), { concurrency: 4, timeoutMs: aDay });
const wrapped = instrument(new PQueue(), { name: "p-queue" });
for (const [kind, job] of Object.entries({
  lost: async () => await never(),
  healthy: async () => await sleep(aDay),
})) {
  await jobs.put(job, { correlationId: `${kind}: of a pool` });
  kept.push(withCorrelationId(`${kind}: of a p-queue`, () => wrapped.add(job)));
}
kept.push(pool);
await sleep(200);

const verdicts = () =>
  Object.fromEntries([...deliveries].map(([name, delivery]) => [name, String(waits.neverResumes(delivery))]));
const before = verdicts();
for (let round = 0; round < 6; round++) {
  gc();
  await sleep(20);
  verdicts();
}
process.stdout.write(JSON.stringify({ before, after: verdicts() }));
for (const child of children) child.kill("SIGKILL");
process.exit();
