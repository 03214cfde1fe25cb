import { errorLine } from "../../base/error-text.js";
import { errorType } from "../../base/error-type.js";
import { realWallNow } from "../../base/real-time.js";
import { shown } from "../../base/shown.js";
import type { FailureKind } from "../protocol.js";

/** How many kinds are kept of a queue, and how much of a message, in characters. */
const MAX_KINDS = 20;
const MAX_MESSAGE = 300;
/** The words of a failure are made at most once in so many milliseconds: they cost more than the failure. */
const WORDS_EVERY_MS = 250;

interface Kind {
  count: number;
  lastAt: number;
  message: string;
}

/** What a queue's tasks failed with lately, by kind. */
export class Failures {
  private readonly kinds = new Map<string, Kind>();

  /** Never throws. */
  readonly note = (error: unknown): void => {
    const kind = shown(errorType(error));
    const at = realWallNow();
    const known = this.kinds.get(kind);
    if (known === undefined) {
      if (this.kinds.size >= MAX_KINDS) this.forgetOldest();
      this.kinds.set(kind, { count: 1, lastAt: at, message: errorLine(error, MAX_MESSAGE) });
      return;
    }
    known.count++;
    if (at - known.lastAt >= WORDS_EVERY_MS) known.message = errorLine(error, MAX_MESSAGE);
    known.lastAt = at;
  };

  /** The most frequent first. */
  list(redact: (text: string) => string): FailureKind[] {
    return [...this.kinds]
      .map(([kind, { count, lastAt, message }]) => ({ kind, count, lastAt, message: redact(message) }))
      .sort((a, b) => b.count - a.count);
  }

  private forgetOldest(): void {
    let oldest: string | undefined;
    let since = Number.POSITIVE_INFINITY;
    for (const [kind, { lastAt }] of this.kinds) {
      if (lastAt >= since) continue;
      since = lastAt;
      oldest = kind;
    }
    if (oldest !== undefined) this.kinds.delete(oldest);
  }
}
