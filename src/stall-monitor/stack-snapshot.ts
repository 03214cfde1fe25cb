import { context, trace } from "@opentelemetry/api";
import { atOnce } from "../base/callback.js";
import { processWide } from "../base/process-wide.js";
import { callSites, frame } from "./call-sites.js";
import { hrNow } from "./shared-heads.js";
import type { StackFrame, StackSnapshot, StallMonitorOptions, StallTask } from "./stall.js";

/** In place of a text that could not be redacted. */
const HIDDEN = "…";

/** What the thread can ask of main; the answers are sent as JSON. */
export interface Answers {
  /** What runs now, and for which task. */
  snapshot(): StackSnapshot;
  /** Frames of a profile, by their place in the source. */
  locate(frames: readonly ProfileFrame[]): StackFrame[];
}

/** As V8's profiler has it; lines and columns count from 1. */
export interface ProfileFrame {
  readonly functionName: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** Where the expression that the thread evaluates in main finds them. */
const { stallAnswers: answers } = processWide;

/** Returns the JavaScript expression that gets at the answers. */
export function offer(own: Answers): { expression: string; withdraw(): void } {
  let id = 1;
  while (answers.has(id)) id++;
  answers.set(id, own);
  return {
    expression: `globalThis[Symbol.for(${JSON.stringify(processWide.key)})].stallAnswers.get(${id})`,
    withdraw: () => answers.delete(id),
  };
}

/** Answers in the midst of whatever main does, so it only reads. What fails is a fault, and the rest is answered nevertheless. */
export function answersWith(
  { describe, redact, refresh }: Pick<StallMonitorOptions, "describe" | "redact" | "refresh">,
  fault: (error: unknown) => void,
): Answers {
  const safely = <R>(fn: () => R): R | undefined => {
    try {
      return fn();
    } catch (error) {
      fault(error);
      return undefined;
    }
  };
  const redacted = (text: string | undefined) =>
    text === undefined || redact === undefined
      ? text
      : (safely(() => atOnce("redact", redact(text), fault)) ?? HIDDEN);
  // Redacted here: the thread writes everything to disk.
  const redactedTask = (task: StallTask): StallTask => ({
    ...task,
    correlationId: redacted(task.correlationId),
    step: redacted(task.step),
    traceId: redacted(task.traceId),
  });
  const snapshot = (): StackSnapshot => {
    const from = hrNow();
    const stack = safely(() => callSites(snapshot)) ?? [];
    const task = safely(() => taskOf(describe));
    if (refresh !== undefined) safely(refresh);
    // The first frame is the thread's expression.
    return { stack: stack.slice(1), task: task && redactedTask(task), span: [from, hrNow()] };
  };
  const locate = (frames: readonly ProfileFrame[]) =>
    frames.map(({ functionName, url, line, column }) => frame(functionName, url, line, column));
  return { snapshot, locate };
}

function taskOf(describe: ((store: unknown) => StallTask | undefined) | undefined): StallTask | undefined {
  const store = processWide.correlation.getStore() as StallTask | undefined;
  const traceId = trace.getSpanContext(context.active())?.traceId;
  if (store === undefined && traceId === undefined) return undefined;
  return {
    correlationId: store?.correlationId,
    tier: store?.tier,
    attempt: store?.attempt,
    traceId,
    ...(store === undefined ? undefined : describe?.(store)),
  };
}
