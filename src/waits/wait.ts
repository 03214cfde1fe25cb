import type { Links } from "../base/linked-list.js";

/** One line of a call stack. */
export interface CallSite {
  /** Undefined at the top level, and in functions without a name. */
  readonly name: string | undefined;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a task waits for. `step` and `gate` come from workers, the others from sources here. */
export type WaitKind = "http" | "socket" | "process" | "span" | "label" | "step" | "gate";

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
}

/** A wait that has not ended. */
export interface OpenWait extends Links<OpenWait> {
  readonly kind: WaitKind;
  /** Undefined for what turned out to be no wait. */
  describe(): Wait | undefined;
}
