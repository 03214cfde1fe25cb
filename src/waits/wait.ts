import type { Links } from "../base/linked-list.js";

/** One line of a call stack. */
export interface CallSite {
  /** Undefined at the top level, and in functions without a name. */
  readonly name: string | undefined;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An async function of a task, at the `await` where it stands. */
export interface AwaitFrame {
  /** Undefined for one without a name. */
  readonly functionName: string | undefined;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One branch of a task's tree of async functions: several run in parallel. */
export interface AwaitBranch {
  /** How many branches stand at the same places: 40 for a `Promise.all` over 40 items. */
  readonly count: number;
  /** Innermost first: what waits, then what awaits that. Never empty. */
  readonly frames: readonly AwaitFrame[];
}

/**
 * What a task waits for. `step` comes from workers, and so does the `gate` before a handler; the others come from sources here. `connection`
 * is one of a pool, `queue` room in a queue, and `sent` what was written to a connection that may owe no answer.
 */
export type WaitKind =
  | "http"
  | "socket"
  | "process"
  | "span"
  | "label"
  | "step"
  | "gate"
  | "query"
  | "connection"
  | "queue"
  | "timer"
  | "sent";

/** What a task may wait for, or not: told only where nothing else is known, and no cause goes by it. */
export const HINTS: ReadonlySet<WaitKind> = new Set<WaitKind>(["timer", "sent"]);

/** A limited resource at the moment of a sample. What is undefined is unknown. */
export interface ResourceUse {
  readonly inUse: number | undefined;
  readonly idle: number | undefined;
  readonly waiting: number | undefined;
  /** `Infinity`: no limit. */
  readonly limit: number | undefined;
}

/** How many tasks are told that hold what others wait for. */
export const MAX_HOLDERS = 3;

/** A task that holds what others wait for. */
export interface Holder {
  readonly correlationId: string;
  /** Monotonic milliseconds. */
  readonly since: number;
}

/** Something that a task waits for, at the moment of a sample. */
export interface Wait {
  readonly kind: WaitKind;
  /** Such as `POST api.example.com/v1/charges`: no query string, and nothing that looks like a secret. */
  readonly label: string;
  /** How far it has come, such as `sent, waiting for headers`; undefined where unknown. */
  readonly state: string | undefined;
  /** Monotonic milliseconds. */
  readonly since: number;
  /** Where it began, innermost first, where that was sampled. */
  readonly stack: readonly CallSite[] | undefined;
  /** How much of it is taken, where it is limited. */
  readonly use?: ResourceUse | undefined;
  /** The tasks that have it, as far as they are known: those that have had it longest, first. */
  readonly holders?: readonly Holder[] | undefined;
}

/** A wait that has not ended. */
export interface OpenWait extends Links<OpenWait> {
  readonly kind: WaitKind;
  /** Undefined for what turned out to be no wait. */
  describe(): Wait | undefined;
}

/** What a task asked for last, over one connection. */
export interface Question extends OpenWait {
  /** Whether that is a statement or a command, of which a pool's connection may get many. */
  readonly isStatement: boolean;
}
