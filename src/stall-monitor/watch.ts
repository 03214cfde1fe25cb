import type { Worker } from "node:worker_threads";
import { ownFolders } from "../base/own-folders.js";
import { realClearInterval, realSetInterval } from "../base/real-time.js";
import { hrNow, LAYOUT } from "./memory.js";
import type { Settings } from "./options.js";
import { otherRuntime } from "./other-runtime.js";
import { answersWith, offer } from "./stack-snapshot.js";
import type { Message, News, Order } from "./stall.js";
import { type ThreadData, threadSource } from "./thread/source.js";

/** How long a process that ends waits for the thread to let go of it, and to say what it has just seen. */
const PARTING_MS = 1_000;

/**
 * A note of the profiler's makes libuv forget for how long the loop has slept. So it sleeps for a tenth of the time between two
 * notes at most.
 */
const SLEEPS_PER_NOTE = 10;

/** From a start to a stop: the thread, and the heartbeat that it watches. Throws where threads are not allowed. */
export class Watch {
  /** Resolves when the thread is gone. */
  readonly gone: Promise<void>;
  private readonly worker: Worker;
  private readonly words: Int32Array;
  private readonly heart: NodeJS.Timeout;
  private readonly withdraw: () => void;
  private isEnding = false;

  constructor(
    settings: Settings,
    buffer: SharedArrayBuffer,
    hear: (news: News) => void,
    fault: (error: unknown) => void,
  ) {
    const { thresholdMs, heartbeatEveryMs: everyMs, profileEveryMs, print, reportDir } = settings;
    const { expression, withdraw } = offer(answersWith(settings, fault));
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
      profileEveryMs === 0 ? everyMs : Math.min(everyMs, profileEveryMs / SLEEPS_PER_NOTE),
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

  /** Ends the thread, when it has said what it has seen. */
  end(): Promise<void> {
    if (!this.isEnding) {
      this.isEnding = true;
      this.worker.ref();
      this.send({ kind: "end" });
    }
    return this.gone;
  }

  /** The process ends: it would say that it waits for a debugger if the thread still were connected. */
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

/** The permission model has it denied unless it is allowed; some versions of Node have no word to allow it by. */
function mayInspect(): boolean {
  if (otherRuntime() !== undefined) return false;
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return permission === undefined || permission.has("inspector");
}

/** Does Node take a profile of its own, for its options or its tests' coverage? */
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
