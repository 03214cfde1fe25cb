import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { checkNumber } from "../../base/checks.js";
import { InvalidOptionTypeError } from "../../base/errors.js";
import { adopted } from "../../base/thenable.js";
import { correlation } from "../../telemetry/context/correlation.js";
import { BoardWriter } from "./board.js";
import { within } from "./context.js";
import { pack, unpack } from "./errors.js";
import type { Abort, News, Parcel } from "./messages.js";

/** What a file that runs in threads exports as its default: a handler. */
export type ThreadFunction = (item: never, task: ThreadTask) => unknown;

/** What a handler in a thread is told of its item, and what it can tell about its work. */
export interface ThreadTask {
  /** As `currentCorrelationId()`. */
  readonly correlationId: string | undefined;
  /** 1 for the first delivery. */
  readonly attempt: number;
  /** Name of the item's priority tier. */
  readonly tier: string;
  /** Time spent in the queue, in milliseconds; undefined where it was not measured. */
  readonly waitMs: number | undefined;
  /**
   * Aborted when the task's own signal is, in the main thread. Asking for `signal.aborted`, or calling `signal.throwIfAborted()`,
   * finds out even in a loop that never lets go of its thread.
   */
  readonly signal: AbortSignal;
  /**
   * A breadcrumb: the task in the main thread does this step now. Like {@link progress} it can be called as often as you like: the task
   * is told the latest, every 50 ms and before it ends. Throws unless `name` is a string, of which the first 500 characters arrive.
   */
  step(name: string): void;
  /** Says which share is done, from 0 to 1. Throws an `InvalidOption…Error` for anything else. */
  progress(ratio: number): void;
}

/** Handles the one task whose port this is. Runs in the thread; never rejects, for that would say that the thread has crashed. */
export async function run(port: MessagePort): Promise<void> {
  const tell = (news: News) => port.postMessage(news);
  const { file, item, correlationId, attempt, tier, waitMs, context, board } = receiveMessageOnPort(port)!
    .message as Parcel;
  tell({ kind: "started" });
  const signal = signalOf(port);
  const writer = new BoardWriter(board);
  const task: ThreadTask = {
    correlationId,
    attempt,
    tier,
    waitMs,
    signal,
    step: (name) => {
      if (typeof name !== "string") throw new InvalidOptionTypeError("name", name, "a string");
      if (writer.setStep(name)) tell({ kind: "said" });
    },
    progress: (ratio) => {
      checkNumber("ratio", ratio, "a number from 0 to 1", (n) => n >= 0 && n <= 1);
      if (writer.setRatio(ratio)) tell({ kind: "said" });
    },
  };
  try {
    loaded ??= load(file);
    const handler = await loaded;
    signal.throwIfAborted();
    const call = () => within(context, () => adopted(handler(item as never, task)));
    const result = await (correlationId === undefined ? call() : correlation.run({ correlationId }, call));
    tell({ kind: "done", result });
  } catch (error) {
    tell({ kind: "failed", error: pack(error), isReason: signal.aborted && error === signal.reason });
  }
}

/** Who looks at the signal sees what has arrived at the port, whether the event loop has turned since or not. */
function signalOf(port: MessagePort): AbortSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const hear = ({ reason }: Abort) => controller.abort(unpack(reason));
  const look = () => {
    const arrived = receiveMessageOnPort(port);
    if (arrived !== undefined) hear(arrived.message);
  };
  const isAborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted")!.get!;
  port.on("message", hear);
  return Object.defineProperties(signal, {
    aborted: {
      get() {
        if (!isAborted.call(signal)) look();
        return isAborted.call(signal);
      },
    },
    throwIfAborted: {
      value() {
        if (signal.aborted) throw signal.reason;
      },
    },
  });
}

/** A thread has one file only. */
let loaded: Promise<ThreadFunction> | undefined;

async function load(file: string): Promise<ThreadFunction> {
  if (/\.[cm]?ts$/.test(file)) await learnTypescript(file);
  const { default: exported } = (await import(pathToFileURL(file).href)) as {
    default?: { default?: unknown };
  };
  // A CommonJS module that was compiled from an ES module has its default there.
  const handler = typeof exported === "object" ? exported?.default : exported;
  if (typeof handler !== "function") {
    throw new InvalidOptionTypeError(`the default export of ${file}`, handler, "a function (item, task)");
  }
  return handler as ThreadFunction;
}

/** tsx starts itself in the main thread only: if that runs under it, so shall this one. */
async function learnTypescript(file: string): Promise<void> {
  if (!process.execArgv.some((option) => /\btsx\b/.test(option))) return;
  // What is found is the CommonJS form, which doesn't find its own parts in a thread; the other lies beside it.
  const tsx = createRequire(file)
    .resolve("tsx/esm/api")
    .replace(/\.cjs$/, ".mjs");
  const { register } = (await import(pathToFileURL(tsx).href)) as { register(): void };
  register();
}
