// A program whose event loop is blocked. It says what its listeners are told, a line each.
import { pbkdf2Sync } from "node:crypto";
import { existsSync } from "node:fs";
import inspector from "node:inspector";
import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import { FifoQueue, instrument, WorkerPool, withCorrelationId } from "../../../src/index.js";
import type { StallListeners } from "../../../src/stall-monitor/stall.js";
import { StallMonitor } from "../../../src/stall-monitor/stall-monitor.js";

const [mode = "idle", file = "", reportDir] = process.argv.slice(2);
// A collection of garbage may take long where there are few processors.
const THRESHOLD_MS = mode === "garbage" ? 500 : 200;

const say = (what: string, facts?: unknown) => console.log(`${what} ${JSON.stringify(facts ?? null)}`);
const steps = new Map<string, () => string | undefined>();

const listeners: StallListeners = {
  stall: (stall) => {
    say("stall", stall);
    isNamed = stall.where?.functionName === "parseBigText";
    onStall();
  },
  breach: (breach) => say("breach", breach),
  limited: (reason) => {
    say("limited", reason);
    isLimited = true;
  },
  error: (error) => say("error", String(error)),
  ready: () => onReady(),
};
const describe = (store: unknown) => ({
  step: steps.get((store as { correlationId: string }).correlationId)?.(),
});
const monitor = new StallMonitor({ thresholdMs: THRESHOLD_MS, reportDir, describe }, listeners);
let isLimited = false;
let isNamed = false;
let onReady = () => {};
let onStall = () => {};

/** Blocks until the parent has made the file. */
function busy(): void {
  while (!existsSync(file));
}

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

function catastrophe(): void {
  const start = performance.now();
  for (let length = 20; performance.now() - start < 5 * THRESHOLD_MS; length++) {
    /^(a+)+$/.test(`${"a".repeat(length)}b`);
  }
}

/** What is made of the least size, doubled again and again, that takes long enough, whatever else has the processor meanwhile. */
function longWork<T>(make: (size: number) => T, work: (made: T) => unknown): T {
  for (let size = 100_000; ; size *= 2) {
    const made = make(size);
    const before = process.cpuUsage();
    work(made);
    if (process.cpuUsage(before).user > 4 * THRESHOLD_MS * 1_000) return made;
  }
}

const textOf = (length: number) =>
  JSON.stringify(Array.from({ length }, (_, id) => ({ id, name: `number ${id}`, tags: ["a", "b"] })));

function parseBigText(text: string): unknown {
  return JSON.parse(text);
}

function derive(rounds: number): Buffer {
  return pbkdf2Sync("secret", "salt", rounds, 64, "sha512");
}

let text = "";
let rounds = 0;
if (mode === "json" || mode === "inspected") text = longWork(textOf, parseBigText);
if (mode === "pbkdf2") rounds = longWork((size) => size, derive);

const ready = new Promise<void>((resolve) => {
  onReady = resolve;
});
const stalled = new Promise<void>((resolve) => {
  onStall = resolve;
});
const hold = setInterval(() => {}, 1_000);
monitor.start();
await ready;
say("ready");

const inTask = (work: () => void) =>
  new Promise<void>((resolve) => setTimeout(() => withCorrelationId("order-7", () => resolve(work())), 5));

switch (mode) {
  case "busy":
    await inTask(busy);
    await stalled;
    break;
  case "regex":
    await inTask(catastrophe);
    await stalled;
    break;
  case "json":
    await inTask(() => void parseBigText(text));
    await stalled;
    break;
  case "inspected": {
    inspector.open(0, "127.0.0.1");
    // It is told of by a heartbeat.
    while (!isLimited) await turn();
    inspector.close();
    while (!isNamed) await inTask(() => void parseBigText(text));
    break;
  }
  case "pbkdf2":
    await inTask(() => void derive(rounds));
    await stalled;
    break;
  case "pool": {
    const queue = instrument(new FifoQueue<string>(), { name: "orders" });
    const pool = new WorkerPool(queue, async (_, task) => {
      steps.set(task.correlationId, () => task.currentStep);
      await turn();
      task.step("charge card");
      busy();
    });
    await queue.put("book", { correlationId: "order-8" });
    await pool.drain({ timeoutMs: 20_000 });
    await stalled;
    break;
  }
  case "breach": {
    const [late, fine, none, gone] = ["late", "fine", "none", "gone"].map((tier) =>
      monitor.head("orders", tier),
    );
    late!.publish(1_000, 900);
    fine!.publish(1_000, 900_000);
    none!.publish(undefined, 1);
    gone!.publish(1_000, 900);
    gone!.release();
    await inTask(busy);
    await stalled;
    break;
  }
  case "nested":
    await inTask(() => {
      spin(3 * THRESHOLD_MS);
      withCorrelationId("order-9", () => spin(3 * THRESHOLD_MS));
    });
    await stalled;
    break;
  case "last-breath":
    await inTask(() => spin(3 * THRESHOLD_MS));
    await turn();
    process.exit(0);
    break;
  case "last-words":
    busy();
    process.exit(0);
    break;
  case "asleep": {
    const before = performance.eventLoopUtilization();
    await wait(2_000);
    say("busy", performance.eventLoopUtilization(before).utilization);
    break;
  }
  case "garbage": {
    const kept: unknown[] = [];
    const end = performance.now() + 2_000;
    while (performance.now() < end) {
      for (let i = 0; i < 5_000; i++) kept.push({ i, more: [i, i] });
      if (kept.length > 500_000) kept.length = 0;
      await turn();
    }
    break;
  }
  case "short-tasks": {
    const end = performance.now() + 2_000;
    while (performance.now() < end) {
      spin(THRESHOLD_MS / 8);
      await turn();
    }
    break;
  }
  case "suspended":
    await new Promise<void>((resolve) => process.stdin.once("data", () => resolve()));
    process.stdin.destroy();
    // For so long that the thread would have seen it.
    await wait(3 * THRESHOLD_MS);
    break;
  case "faults": {
    const resolve = onStall;
    onStall = () => {
      resolve();
      throw new Error("a listener's");
    };
    await inTask(busy);
    await stalled;
    break;
  }
  case "again": {
    await monitor.stop();
    const before = [process.getActiveResourcesInfo().sort().join(), process.listenerCount("exit")];
    for (let round = 0; round < 5; round++) {
      let isWatching = () => {};
      const again = new StallMonitor(
        { thresholdMs: THRESHOLD_MS },
        { ...listeners, ready: () => isWatching() },
      );
      await new Promise<void>((resolve) => {
        isWatching = resolve;
        again.start();
        again.start();
      });
      await Promise.all([again.stop(), again.stop()]);
      again.start();
      await again.stop();
    }
    await turn();
    say("left", [before, [process.getActiveResourcesInfo().sort().join(), process.listenerCount("exit")]]);
    break;
  }
  default:
    await wait(3 * THRESHOLD_MS);
}
clearInterval(hold);
say("done");
