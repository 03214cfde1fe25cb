/** A place in a call stack. */
export interface StackFrame {
  /** Undefined for a function without a name, and for the top level of a module. */
  readonly functionName: string | undefined;
  /** A path, or what else the runtime calls it (`node:fs`); undefined for what is built into the engine. */
  readonly file: string | undefined;
  /** Counts from 1, as `column` does. Of a native blocker it may be where the function begins. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** Part of Node or of the engine. */
  readonly isInternal: boolean;
}

/** The task during which the event loop was blocked. What `describe` tells is in it, too. */
export interface StallTask {
  readonly correlationId?: string | undefined;
  readonly tier?: string | undefined;
  readonly attempt?: number | undefined;
  readonly queue?: string | undefined;
  readonly step?: string | undefined;
  readonly traceId?: string | undefined;
}

/** The event loop did not turn for longer than the threshold. */
export interface Stall {
  /** Milliseconds since the Unix epoch; exact to one heartbeat, as is the duration. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** The innermost frame that is neither Node's nor the engine's: what the user can change. */
  readonly where: StackFrame | undefined;
  /** What was running, innermost first; empty where nobody could look. */
  readonly stack: readonly StackFrame[];
  /** Native code held the thread, and nobody could look until it returned: stack and task are approximate. */
  readonly isNative: boolean;
  /** Most of the time went into collecting garbage. */
  readonly isGarbageCollection: boolean;
  /** Undefined where it was no task's doing, or nobody knows. */
  readonly task: StallTask | undefined;
}

/** While the event loop was blocked, the head of a queue waited for longer than its SLA allows. */
export interface BlockedHead {
  /** Index of the slot that shows it. */
  readonly slot: number;
  readonly queue: string;
  readonly tier: string;
  /** How long the head had waited when it was noticed. */
  readonly ageMs: number;
  readonly slaMs: number;
  /** How long the event loop had been blocked by then. */
  readonly blockedMs: number;
  /** When it was noticed, in milliseconds since the Unix epoch. */
  readonly at: number;
  /** How long before that the head was last looked at. If that was before the block, it may have been served meanwhile. */
  readonly seenAgoMs: number;
}

/** What main answers when it is interrupted. */
export interface StackSnapshot {
  readonly stack: readonly StackFrame[];
  readonly task: StallTask | undefined;
  /** When it began and ended to look, in milliseconds of the clock that all threads share: that is nobody's fault but ours. */
  readonly span: readonly [number, number];
}

/** What the thread tells main. */
export type News =
  | { readonly kind: "stall"; readonly stall: Stall }
  | { readonly kind: "breach"; readonly breach: BlockedHead }
  | { readonly kind: "ready" }
  | { readonly kind: "limited"; readonly reason: string }
  | { readonly kind: "fault"; readonly message: string };

/** All that comes from the thread: at the end that it has let go of main, and can be ended. */
export type Message = News | { readonly kind: "parted" };

/** What main tells the thread: whose head a slot shows, that it is free again, or that all is over. */
export type Order =
  | { readonly kind: "slot"; readonly index: number; readonly queue: string; readonly tier: string }
  | { readonly kind: "free"; readonly index: number }
  | { readonly kind: "end" };
