import type { Carrier } from "../contracts/index.js";

/** What only some entries have. Travels as the tag of an entry; all others have their carrier as tag, or nothing. */
export class EntryExtras {
  constructor(
    /** Monotonic milliseconds; `Infinity` where there is no deadline. */
    readonly deadline: number,
    /** 1 for the first delivery. */
    readonly attempt: number,
    /** Known only where no observer keeps it. */
    readonly correlationId: string | undefined,
    readonly carrier: Carrier,
  ) {}
}

/** The carrier in a tag. */
export function carrierOf(tag: unknown): Carrier {
  return tag instanceof EntryExtras ? tag.carrier : (tag as Carrier);
}

/** The deadline in a tag; `Infinity` where there is none. */
export function deadlineOf(tag: unknown): number {
  return tag instanceof EntryExtras ? tag.deadline : Number.POSITIVE_INFINITY;
}

/** The attempt's number in a tag. */
export function attemptOf(tag: unknown): number {
  return tag instanceof EntryExtras ? tag.attempt : 1;
}
