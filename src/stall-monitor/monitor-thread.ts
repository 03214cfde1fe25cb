import type { Worker } from "node:worker_threads";
import { ownFolders } from "../base/own-folders.js";
import { processWide } from "../base/process-wide.js";
import { realClearInterval, realSetInterval } from "../base/real-time.js";
import { hrNow, LAYOUT } from "./shared-heads.js";
import { answersWith, offer } from "./stack-snapshot.js";
import type { Message, News, Order, StallMonitorOptions } from "./stall.js";
import { type ThreadData, threadSource } from "./thread/source.js";

const { warned } = processWide;

/** How long an ending process waits for the thread to let go of it and to say what it has just seen, in milliseconds. */
const PARTING_MS = 1_000;

/** A sample of the profiler makes libuv forget how long the loop has slept. So the loop sleeps for at most a tenth of the time between two. */
const SLEEPS_PER_SAMPLE = 10;

/** From a start to a stop: the thread, and the heartbeat that it watches. Throws where threads are not allowed. */
export class MonitorThread {
  /** Resolves when the thread is gone. */
  readonly gone: Promise<void>;
  private readonly worker: Worker;
  private readonly words: Int32Array;
  private readonly heart: NodeJS.Timeout;
  private readonly withdraw: () => void;
  private isEnding = false;

  constructor(
    options: StallMonitorOptions,
    buffer: SharedArrayBuffer,
    hear: (news: News) => void,
    fault: (error: unknown) => void,
  ) {
    const { thresholdMs, profileEveryMs = 100, print = true, reportDir } = options;
    const { heartbeatEveryMs: everyMs = Math.min(100, thresholdMs / 5) } = options;
    const { expression, withdraw } = offer(answersWith(options, fault));
    const workerData: ThreadData = {
      buffer,
      layout: LAYOUT,
      thresholdMs,
      everyMs,
      profileEveryMs,
      print,
      reportDir,
      ours: ownFolders(),
      mayInspect: mayInspect(),
      isProfiled: isProfiled(),
      answers: expression,
    };
    this.words = new Int32Array(buffer);
    this.withdraw = withdraw;
    const beat = heartbeat(new Float64Array(buffer));
    beat();
    try {
      // Without the options and preloads of the program: they would start it, or its instrumentation, a second time.
      const threads = process.getBuiltinModule("node:worker_threads");
      this.worker = new threads.Worker(threadSource(), {
        eval: true,
        workerData,
        execArgv: [],
        env: { NODE_OPTIONS: "" },
        resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
      });
    } catch (error) {
      withdraw();
      throw error;
    }
    this.heart = realSetInterval(
      beat,
      profileEveryMs === 0 ? everyMs : Math.min(everyMs, profileEveryMs / SLEEPS_PER_SAMPLE),
    );
    this.heart.unref();
    process.once("exit", this.part);
    this.worker.on("message", (message: Message) => {
      if (message.kind === "parted") this.worker.terminate().catch(fault);
      else hear(message);
    });
    this.worker.on("error", fault);
    this.gone = new Promise((resolve) => {
      this.worker.once("exit", (code) => {
        if (!this.isEnding) fault(new Error(`the thread that watches for stalls has ended, code ${code}`));
        this.close();
        resolve();
      });
    });
    // Listening for messages refs it.
    this.worker.unref();
  }

  send(order: Order): void {
    this.worker.postMessage(order);
  }

  /** Ends the thread once it has said what it has seen. */
  end(): Promise<void> {
    if (!this.isEnding) {
      this.isEnding = true;
      this.worker.ref();
      this.send({ kind: "end" });
    }
    return this.gone;
  }

  /** The process ends. It would say that it waits for a debugger if the thread were still connected. */
  private readonly part = (): void => {
    this.isEnding = true;
    Atomics.store(this.words, LAYOUT.over, 0);
    this.send({ kind: "end" });
    Atomics.wait(this.words, LAYOUT.over, 0, PARTING_MS);
  };

  private close(): void {
    realClearInterval(this.heart);
    process.off("exit", this.part);
    this.withdraw();
  }
}

/** The permission model denies the inspector unless it is allowed; some versions of Node have no flag for that. */
function mayInspect(): boolean {
  if (otherRuntime() !== undefined) return false;
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return permission === undefined || permission.has("inspector");
}

/** Whether Node takes a profile of its own, for its options or for the coverage of tests. */
function isProfiled(): boolean {
  const { NODE_V8_COVERAGE: coverage, NODE_OPTIONS: options = "" } = process.env;
  return Boolean(coverage) || [...process.execArgv, options].some((option) => option.includes("--cpu-prof"));
}

/** Shows that the event loop turns, and whether a debugger may be what stops it. */
function heartbeat(memory: Float64Array): () => void {
  const inspector = process.getBuiltinModule("node:inspector") as typeof import("node:inspector") | undefined;
  return () => {
    memory[LAYOUT.debugged] = inspector?.url() === undefined ? 0 : 1;
    memory[LAYOUT.beat] = hrNow();
  };
}

/** The name of a runtime other than Node: threads can't inspect main there. */
export function otherRuntime(): "Bun" | "Deno" | undefined {
  const { bun, deno } = process.versions as { readonly bun?: string; readonly deno?: string };
  if (bun !== undefined) return "Bun";
  return deno === undefined ? undefined : "Deno";
}

/** The warning about that, for the first watchdog of the process only. */
export function limitOfRuntime(): string | undefined {
  const name = otherRuntime();
  const warning = `stalls on ${name}`;
  if (name === undefined || warned.has(warning)) return undefined;
  warned.add(warning);
  return `${name} doesn't let a thread look at what blocks the event loop: stalls are reported without stack and task`;
}
