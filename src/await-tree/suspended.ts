/** Whose code it is: the user's own, a package's (`node_modules`, this library), or Node's. */
export type Origin = "own" | "package" | "node";

/** A place in the source. Lines and columns count from 1. */
export interface Place {
  /** A path, or the URL of what is no file. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly origin: Origin;
}

/** What a function waits for that no other async function is to give. */
export interface WaitsFor {
  readonly kind: "timer" | "socket" | "object" | "function";
  /** In words: `a timer of 30 s`. */
  readonly text: string;
}

/** An async function that is suspended at an `await`, or at a `yield` that is waited for. */
export interface Suspended {
  readonly name: string;
  /** Undefined where it has gone on meanwhile, or was not asked for, being of Node or of a package. */
  readonly place: Place | undefined;
  /** The URL or path of what it is in. */
  readonly script: string;
  /** The indices of those that wait for it. */
  readonly awaitedBy: readonly number[];
  /** Whose task it is: the correlation ID in its async context. */
  readonly correlationId: string | undefined;
  readonly waitsFor: WaitsFor | undefined;
}
