import { errorType } from "../../base/error-type.js";
import { attributesOf, Labels } from "./labels.js";

/** How many kinds of errors a queue has series for. */
const MAX_KINDS = 20;
/** Of what is of none of them. */
const OTHER = "other";

/** One kind of failure, and how often it was seen. */
export interface ErrorKind {
  readonly labels: Labels;
  count: number;
}

/** What the attempts of a queue have failed with, by kind: `other`, which is there from the start, and each that was seen. Bounded, whatever is thrown. */
export class ErrorKinds {
  private readonly other: ErrorKind;
  private seen: Map<string, ErrorKind> | undefined = undefined;

  constructor(private readonly of: Labels) {
    this.other = this.made(OTHER);
  }

  /** Never throws. `undefined` counts as `other`: nothing is known of it. */
  count(error: unknown): void {
    this.kindOf(errorType(error)).count++;
  }

  *[Symbol.iterator](): Generator<ErrorKind> {
    yield this.other;
    if (this.seen !== undefined) yield* this.seen.values();
  }

  private kindOf(type: string): ErrorKind {
    if (type === "_OTHER" || type === OTHER) return this.other;
    this.seen ??= new Map();
    const known = this.seen.get(type);
    if (known !== undefined) return known;
    if (this.seen.size >= MAX_KINDS) return this.other;
    const made = this.made(type);
    this.seen.set(type, made);
    return made;
  }

  private made(type: string): ErrorKind {
    return { labels: new Labels(attributesOf(this.of, new Labels({ "error.type": type }))), count: 0 };
  }
}
