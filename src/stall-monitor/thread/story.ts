import type { StackFrame, StackSnapshot, Stall } from "../stall.js";
import type { Heaviest, heaviest, Inquiry, Sampler } from "./inspector.js";
import type { Pulse } from "./pulse.js";

/** One stall, from when it is noticed to its report. */
export interface Story {
  /** Main was not seen yet, and may still answer. */
  readonly isPuzzling: boolean;
  look(): void;
  goOn(): void;
  /** The stall is over. */
  end(): Promise<Stall>;
}

export interface StoryParts {
  readonly now: () => number;
  readonly pulse: Pulse;
  readonly inquiry: Inquiry | undefined;
  readonly sampler: Sampler | undefined;
  readonly heaviest: typeof heaviest;
  readonly answers: string;
  readonly blind: (error: unknown) => void;
  readonly told: (stall: Stall, isOver: boolean) => void;
  /** Main has answered while it was blocked. */
  readonly looked: () => void;
}

/**
 * Main answers when it enters a function or repeats a loop. An answer that comes at once tells what it does; a late one only where
 * native code has returned to, which may be far from who called it. The samples know.
 *
 * Runs in the thread: its source is sent there, so it refers to nothing outside.
 */
export function makeStory(parts: StoryParts): Story {
  const { now, pulse, inquiry, sampler, answers } = parts;
  const promptMs = 30;
  const nativeAfterMs = 100;
  const maxLooks = 10;
  const since = pulse.since;
  const startedAt = Date.now() - (now() - since);
  const spans: StackSnapshot["span"][] = [];
  let snapshot: StackSnapshot | undefined;
  let asked: Promise<unknown> | undefined;
  let askedAt = 0;
  let lookedAt = 0;
  let looks = 0;
  let isAnswered = true;
  let isPrompt = false;
  let isNative = false;
  let told: "nothing" | "that" | "where" = "nothing";
  let isOver = false;
  let durationMs = pulse.forMs;

  const stall = (stack: readonly StackFrame[], isGarbageCollection = false): Stall => ({
    startedAt,
    durationMs,
    where: stack.find((frame) => !frame.isInternal),
    stack,
    isNative,
    isGarbageCollection,
    task: snapshot?.task,
  });
  /**
   * Once without a place, and once with it: what was taken for native code may answer after all, if there is little processor to be
   * had.
   */
  const tell = () => {
    const knows = isPrompt ? "where" : "that";
    if (told === knows || told === "where" || isOver) return;
    told = knows;
    durationMs = pulse.forMs;
    parts.told(stall(isPrompt ? snapshot!.stack : []), false);
  };
  const answered = (answer: StackSnapshot) => {
    isAnswered = true;
    spans.push(answer.span);
    isPrompt = now() - askedAt <= promptMs;
    // Of two that came late the first is nearer to the cause.
    if (isPrompt || snapshot === undefined) snapshot = answer;
    if (isPrompt) isNative = false;
    if (isPrompt) tell();
    if (!isOver) parts.looked();
  };
  // A snapshot has names that were given afterwards; the profiler does not. A function that it does name is not an unnamed one.
  const isSame = (sampled: StackFrame) => (seen: StackFrame) =>
    sampled.file === seen.file && (sampled.functionName ?? seen.functionName) === seen.functionName;
  /** A function's line is where it begins, unless a snapshot saw it at work. */
  const sampled = async () => {
    const profiles = (await sampler?.take()) ?? [];
    const found = profiles
      .flatMap((profile) => parts.heaviest(profile, since, since + durationMs, spans) ?? [])
      .reduce<Heaviest | undefined>(
        (most, each) => (each.samples > (most?.samples ?? 0) ? each : most),
        undefined,
      );
    if (found === undefined) return undefined;
    const expression = `${answers}.locate(${JSON.stringify(found.stack)})`;
    const located = (await inquiry?.ask(expression)) as StackFrame[];
    const stack = located.map((frame, index) => (index > 0 && snapshot?.stack.find(isSame(frame))) || frame);
    return { stack, isGarbageCollection: found.isGarbageCollection };
  };
  return {
    get isPuzzling() {
      return inquiry !== undefined && snapshot === undefined && !isNative;
    },
    look() {
      if (inquiry === undefined) return tell();
      looks++;
      askedAt = now();
      if (looks === 1) lookedAt = askedAt;
      isAnswered = false;
      asked = inquiry
        .ask(`${answers}.snapshot()`)
        .then((answer) => answered(answer as StackSnapshot), parts.blind);
    },
    goOn() {
      if (isPrompt || inquiry === undefined) return;
      if (now() - lookedAt > nativeAfterMs) {
        isNative = true;
        tell();
      }
      if (isAnswered && looks < maxLooks) this.look();
    },
    async end() {
      durationMs = pulse.forMs;
      isOver = true;
      await asked;
      const profile = await sampled().catch(parts.blind);
      const culprit = profile?.stack.find((frame) => !frame.isInternal);
      const agree = snapshot !== undefined && (culprit === undefined || snapshot.stack.some(isSame(culprit)));
      if (!isPrompt && snapshot !== undefined) isNative = true;
      const isSeen = snapshot !== undefined && ((agree && isPrompt) || culprit === undefined);
      const stack = isSeen ? snapshot!.stack : (profile?.stack ?? []);
      const all = stall(stack, profile?.isGarbageCollection);
      parts.told(all, true);
      return all;
    },
  };
}
