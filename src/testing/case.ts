import type { QueueKind } from "./kind.js";

/** One test: any runner will do. */
export interface ConformanceCase {
  /** What is demanded, in a sentence. */
  readonly name: string;
  /** Rejects with an `AssertionError` if the adapter doesn't do as its contract says. */
  readonly run: () => Promise<void>;
}

/** Any kind of queue: what the cases are written for. */
// biome-ignore lint/suspicious/noExplicitAny: the queue is passed on to its own kind only
export type AnyKind = QueueKind<any>;

/** One demand on an adapter. */
export interface Case {
  /** A sentence. */
  readonly name: string;
  /** Whether it is about something that the kind offers. Left out: always. */
  readonly isFor?: (kind: AnyKind) => boolean;
  readonly run: (kind: AnyKind) => Promise<void>;
}

export const inContext = (kind: AnyKind): boolean => kind.handlers === "in-context";
export const pauses = ({ pause, resume, consume }: AnyKind): boolean =>
  (pause !== undefined && resume !== undefined) || consume !== undefined;
