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

/** The event loop was blocked for longer than the threshold. */
export interface Stall {
  /** Milliseconds since the Unix epoch; exact to one heartbeat, as is the duration. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** The innermost frame that is neither Node's nor the engine's: what the user can change. */
  readonly where: StackFrame | undefined;
  /** What was running, innermost first; empty where it could not be seen. */
  readonly stack: readonly StackFrame[];
  /** Native code held the thread and could not be inspected until it returned: stack and task are approximate. */
  readonly isNative: boolean;
  /** Most of the time went into collecting garbage. */
  readonly isGarbageCollection: boolean;
  /** Undefined where no task caused it, or the task is unknown. */
  readonly task: StallTask | undefined;
}

/** While the event loop was blocked, the head of a queue waited for longer than its SLA allows. */
export interface BlockedHead {
  /** Index of the {@link SharedHead} that shows it. */
  readonly head: number;
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
  /** When it began and ended to look, in milliseconds of the clock that all threads share: that time is our own doing. */
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

/** What main tells the thread: whose head an index is, that it is free again, or that all is over. */
export type Order =
  | { readonly kind: "head"; readonly index: number; readonly queue: string; readonly tier: string }
  | { readonly kind: "free"; readonly index: number }
  | { readonly kind: "end" };

export interface StallMonitorOptions {
  /** A stall lasts longer than this, in milliseconds, from 20. */
  readonly thresholdMs: number;
  /**
   * How often the thread looks, in milliseconds, up to half of the threshold; main shows at least as often that its event loop turns.
   * Default: a fifth of the threshold, at most 100.
   */
  readonly heartbeatEveryMs?: number | undefined;
  /**
   * How often V8's sampling profiler takes a sample, in milliseconds; 0: never. Native code can't be inspected while it holds the thread:
   * without samples, the function that called it is a guess. Each sample wakes a loop that sleeps, and libuv counts the sleep before it as
   * work; so main's heartbeat is ten times as frequent, which keeps `eventLoopUtilization()` right to some hundredths. Default: 100.
   */
  readonly profileEveryMs?: number | undefined;
  /** Whether the thread writes a line to stderr when the event loop is blocked, and one when it turns again. Default: true. */
  readonly print?: boolean | undefined;
  /** An existing folder in which the thread appends both to `stalls.jsonl`, readable by the owner only. Default: none. */
  readonly reportDir?: string | undefined;
  /**
   * Adds facts on a task to its correlation ID, tier, attempt and trace ID; gets the task's correlation store. Called in main, in the midst
   * of whatever runs there: it only reads.
   */
  readonly describe?: ((store: unknown) => StallTask | undefined) | undefined;
  /** Gets every text of the user's about a task, and gives what is shown; where it fails, that is `…`. Called as `describe` is. */
  readonly redact?: ((text: string) => string) | undefined;
  /** Publishes the heads anew, so that none counts that was served before the block. Called as `describe` is. */
  readonly refresh?: (() => void) | undefined;
}

export interface StallListeners {
  /** A stall has ended. */
  stall(stall: Stall): void;
  /** During a stall a head was beyond its SLA: once for each stall and head. */
  breach(breach: BlockedHead): void;
  /** Something here failed, or a callback or listener threw. */
  error(error: unknown): void;
  /** Something can't be watched here; once, with the reason in words. */
  limited?(reason: string): void;
  /** The thread watches: an earlier block, while it starts, may go unnamed. */
  ready?(): void;
}
