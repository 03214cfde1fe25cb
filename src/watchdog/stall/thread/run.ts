import type { MessagePort } from "node:worker_threads";
import type { Layout } from "../memory.js";
import type { News, Order } from "../stall.js";
import type { makeHeads } from "./heads.js";
import type { heaviest } from "./heaviest.js";
import type { makeInquiry } from "./inquiry.js";
import type { makeOutlet } from "./outlet.js";
import type { makePulse } from "./pulse.js";
import type { makeSampler } from "./sampler.js";
import type { makeStory, Story } from "./story.js";

/** What the thread is made of. */
export interface Parts {
  readonly heaviest: typeof heaviest;
  readonly makeHeads: typeof makeHeads;
  readonly makeInquiry: typeof makeInquiry;
  readonly makeOutlet: typeof makeOutlet;
  readonly makePulse: typeof makePulse;
  readonly makeSampler: typeof makeSampler;
  readonly makeStory: typeof makeStory;
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
  /** May threads connect to main's inspector? Asking is fatal where they may not. */
  readonly mayInspect: boolean;
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
  const tell = (news: News) => port.postMessage(news);
  const fault = (error: unknown) =>
    tell({ kind: "fault", message: String((error as Error)?.message ?? error) });
  let isLimited = false;
  const limit = (reason: string) => {
    if (isLimited) return;
    isLimited = true;
    tell({ kind: "limited", reason });
  };
  let isReady = false;
  const ready = () => {
    if (!isReady) tell({ kind: "ready" });
    isReady = true;
  };
  const blind = (error: unknown) =>
    limit(`the inspector is not available (${error}): event-loop stalls are reported without stack and task`);

  const pulse = parts.makePulse(() => memory[layout.beat]!, thresholdMs, Math.max(50, thresholdMs / 4));
  const heads = parts.makeHeads(memory, layout);
  const outlet = parts.makeOutlet(require("node:fs"), data.print, data.reportDir, fault);
  let inspector: typeof import("node:inspector") | undefined;
  try {
    if (data.mayInspect) inspector = require("node:inspector") as typeof import("node:inspector");
    else blind("it takes --allow-inspector");
  } catch (error) {
    blind(error);
  }
  const inquiry = inspector && parts.makeInquiry(inspector);
  const sampler =
    inspector && data.profileEveryMs > 0 ? parts.makeSampler(inspector, data.profileEveryMs) : undefined;

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
      told: (stall, isOver) => outlet.stall(stall, isOver),
      looked: () => judge(),
    });
  const judge = () => {
    for (const breach of heads.late(now(), pulse.forMs)) {
      outlet.breach(breach);
      tell({ kind: "breach", breach });
    }
  };
  const finish = async (ending: Story) => {
    story = undefined;
    heads.forget();
    tell({ kind: "stall", stall: await ending.end() });
  };

  // A profile grows: each sample stays until it is taken.
  const takeEveryMs = 600_000;
  let takeAt = now() + takeEveryMs;
  const watchDebugger = () => {
    const isDebugged = memory[layout.debugged] === 1;
    if (isDebugged) {
      limit(
        "the inspector is open: while a debugger may hold the program, event-loop stalls are not watched",
      );
      sampler?.stop();
      ready();
    } else if (sampler?.isOn === false && !isLimited) sampler.start().catch(blind).then(ready);
    return isDebugged;
  };
  if (sampler === undefined) ready();
  let due = now();
  const tick = () => {
    const at = now();
    const wasDue = due;
    due = at + everyMs;
    if (watchDebugger()) return;
    const phase = pulse.tick(at, wasDue);
    if (phase === "began") {
      story = begin();
      story.look();
    }
    if (phase === "goes-on") story?.goOn();
    if (story !== undefined && phase !== "ended" && story.isPuzzling === false) judge();
    if (phase === "ended" && story !== undefined) finish(story).catch(fault);
    if (phase === "quiet" && at > takeAt) {
      takeAt = at + takeEveryMs;
      sampler?.take().catch(fault);
    }
  };

  const timer = setInterval(() => {
    try {
      tick();
    } catch (error) {
      fault(error);
    }
  }, everyMs);
  const end = async () => {
    clearInterval(timer);
    const phase = memory[layout.debugged] === 1 ? "quiet" : pulse.tick(now(), now());
    // What began so late has not been looked at, and now it would see main's end.
    if (phase === "began") story = begin();
    if (story !== undefined) {
      await Promise.race([finish(story), new Promise((resolve) => setTimeout(resolve, 500))]);
    }
    sampler?.stop();
    inquiry?.close();
    Atomics.store(words, layout.over, 1);
    Atomics.notify(words, layout.over);
    port.close();
  };
  port.on("message", (order: Order) => {
    if (order.kind === "slot") heads.name(order.index, order.queue, order.tier);
    else if (order.kind === "free") heads.free(order.index);
    else end().catch(fault);
  });
}
