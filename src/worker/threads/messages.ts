import type { PackedContext } from "./context.js";
import type { PackedError } from "./errors.js";

/** What a thread needs to know of a task. Goes through the task's port before that itself is handed over. */
export interface Parcel {
  /** Path of the user's file. */
  readonly file: string;
  readonly item: unknown;
  readonly attempt: number;
  readonly tier: string;
  readonly waitMs: number | undefined;
  readonly correlationId: string | undefined;
  readonly context: PackedContext | undefined;
  /** Where the thread writes what the task says of itself. */
  readonly board: SharedArrayBuffer;
}

/** What goes to the thread after that. */
export interface Abort {
  readonly reason: PackedError;
}

/** What comes from the thread. `started` is the first, `done` or `failed` the last. */
export type News =
  | { readonly kind: "started" }
  /** There is something on the board, which had been read. */
  | { readonly kind: "said" }
  | { readonly kind: "done"; readonly result: unknown }
  /** `isReason`: it failed with the reason of its signal, and nothing else. */
  | { readonly kind: "failed"; readonly error: PackedError; readonly isReason: boolean };
