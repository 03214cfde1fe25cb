import type { MessagePort } from "node:worker_threads";
import type { shown } from "../../base/shown.js";
import type { Layout } from "../shared-heads.js";
import type { Message, Order } from "../stall.js";
import type { makeHeads } from "./heads.js";
import type { heaviest, makeInquiry, makeSampler } from "./inspector.js";
import type { makePulse, makeWaited } from "./pulse.js";
import type { makeStallLog } from "./stall-log.js";
import type { makeStory, Story } from "./story.js";

/** What the thread is made of. */
export interface Parts {
  readonly heaviest: typeof heaviest;
  readonly makeHeads: typeof makeHeads;
  readonly makeInquiry: typeof makeInquiry;
  readonly makeStallLog: typeof makeStallLog;
  readonly makePulse: typeof makePulse;
  readonly makeSampler: typeof makeSampler;
  readonly makeStory: typeof makeStory;
  readonly makeWaited: typeof makeWaited;
  readonly shown: typeof shown;
}

/** What it is told when it starts. */
export interface ThreadData {
  readonly buffer: SharedArrayBuffer;
  readonly layout: Layout;
  readonly thresholdMs: number;
  readonly everyMs: number;
  readonly profileEveryMs: number;
  readonly print: boolean;
  readonly reportDir: string | undefined;
  /** Folders of this library's own code. */
  readonly ours: readonly string[];
  /** Whether threads may connect to main's inspector. Asking is fatal where they may not. */
  readonly mayInspect: boolean;
  /** Whether Node itself profiles main. */
  readonly isProfiled: boolean;
  /** Evaluated in main, it gives the `Answers`. */
  readonly answers: string;
}

/** Runs in the thread: its source is sent there, so it refers to nothing outside. */
export function run(require: NodeJS.Require, parts: Parts, data: ThreadData): void {
  const port: MessagePort = require("node:worker_threads").parentPort;
  const { layout, thresholdMs, everyMs } = data;
  const memory = new Float64Array(data.buffer);
  const words = new Int32Array(data.buffer);
  const now = () => Number(process.hrtime.bigint()) / 1e6;
  const tell = (message: Message) => port.postMessage(message);
  const fault = (error: unknown) =>
    tell({ kind: "fault", message: String((error as Error)?.message ?? error) });
  let isLimited = false;
  let isParting = false;
  // What was asked of main and is still open fails when the sessions end.
  const limit = (reason: string) => {
    if (isLimited || isParting) return;
    isLimited = true;
    tell({ kind: "limited", reason });
  };
  let isToldOfDebugger = false;
  let isReady = false;
  const ready = () => {
    if (!isReady) tell({ kind: "ready" });
    isReady = true;
  };
  const blind = (error: unknown) =>
    limit(`the inspector is not available (${error}): event-loop stalls are reported without stack and task`);

  const fs = require("node:fs");
  const pulse = parts.makePulse(
    () => memory[layout.beat]!,
    parts.makeWaited(fs, process.pid),
    thresholdMs,
    Math.max(50, thresholdMs / 4),
  );
  const heads = parts.makeHeads(memory, layout);
  const log = parts.makeStallLog(fs, data, parts.shown, fault);
  let inspector: typeof import("node:inspector") | undefined;
  try {
    if (data.mayInspect) inspector = require("node:inspector") as typeof import("node:inspector");
    else blind("it takes --allow-inspector");
  } catch (error) {
    blind(error);
  }
  const inquiry = inspector && parts.makeInquiry(inspector);
  const sampler =
    inspector && data.profileEveryMs > 0
      ? parts.makeSampler(inspector, data.profileEveryMs, !data.isProfiled)
      : undefined;

  let story: Story | undefined;
  const begin = () =>
    parts.makeStory({
      now,
      pulse,
      inquiry,
      sampler,
      heaviest: parts.heaviest,
      answers: data.answers,
      blind,
      told: (stall, isOver) => log.stall(stall, isOver),
      looked: () => judge(),
    });
  const judge = () => {
    for (const breach of heads.late(now(), pulse.forMs)) {
      log.breach(breach);
      tell({ kind: "breach", breach });
    }
  };
  let finished: Promise<void> = Promise.resolve();
  const finish = (ending: Story) => {
    story = undefined;
    heads.forget();
    const before = finished;
    finished = ending
      .end()
      .then((stall) => tell({ kind: "stall", stall }))
      .catch(fault)
      .then(() => before);
  };

  // A profile grows: each sample stays until it is taken.
  const takeEveryMs = 120_000;
  let takeAt = now() + takeEveryMs;
  let isStarting = false;
  // A profiler walks through the heap when it starts. That is our own doing, and no stall.
  const startSampler = async () => {
    isStarting = true;
    await sampler?.start().catch(blind);
    isStarting = false;
    pulse.forget(now());
    ready();
  };
  const mayWatch = () => {
    const isDebugged = memory[layout.debugged] === 1;
    if (isDebugged) {
      // When it is closed again, the sampler goes on.
      if (!isToldOfDebugger && !isLimited) {
        const reason =
          "the inspector is open: while a debugger may hold the program, event-loop stalls are not watched";
        tell({ kind: "limited", reason });
      }
      isToldOfDebugger = true;
      sampler?.stop();
      story = undefined;
      pulse.forget(now());
      ready();
    } else if (sampler?.isOn === false && !isLimited) startSampler().catch(fault);
    return !isDebugged && !isStarting;
  };
  let due = now();
  const tick = () => {
    const at = now();
    const wasDue = due;
    due = at + everyMs;
    if (!mayWatch()) return;
    const phase = pulse.tick(at, wasDue);
    if (phase === "began") {
      story = begin();
      story.look();
    }
    if (phase === "goes-on") story?.goOn();
    if (story !== undefined && phase !== "ended" && story.isPuzzling === false) judge();
    if (phase === "ended" && story !== undefined) finish(story);
    if (phase === "quiet" && at > takeAt) {
      takeAt = at + takeEveryMs;
      sampler?.take().catch(fault);
    }
  };

  const safely = (fn: () => unknown) => {
    try {
      fn();
    } catch (error) {
      fault(error);
    }
  };
  const timer = setInterval(() => safely(tick), everyMs);
  if (sampler === undefined) ready();
  safely(mayWatch);
  const end = async () => {
    clearInterval(timer);
    const isWatching = !isStarting && memory[layout.debugged] === 0;
    const phase = isWatching ? pulse.tick(now(), now()) : "quiet";
    // What began so late has not been looked at, and now it would see main's end.
    if (phase === "began") story = begin();
    if (story !== undefined) finish(story);
    await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, 500))]);
    isParting = true;
    sampler?.stop();
    inquiry?.close();
    Atomics.store(words, layout.over, 1);
    Atomics.notify(words, layout.over);
    // A thread that ended by itself would take the sessions with it that main still has to let go of, and main would abort.
    tell({ kind: "parted" });
  };
  port.on("message", (order: Order) => {
    if (order.kind === "head") heads.name(order.index, order.queue, order.tier);
    else if (order.kind === "free") heads.free(order.index);
    else end().catch(fault);
  });
}
