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

/** What the attempts of a queue have failed with, by kind. Bounded, whatever is thrown; takes no room until something is. */
export class ErrorKinds {
  private kinds: Map<string, ErrorKind> | undefined = undefined;

  constructor(private readonly of: Labels) {}

  /** Never throws. `undefined` counts as `other`: nothing is known of it. */
  count(error: unknown): void {
    this.kinds ??= new Map();
    const type = errorType(error);
    this.kindOf(this.kinds, type === "_OTHER" ? OTHER : type).count++;
  }

  [Symbol.iterator](): Iterator<ErrorKind> {
    return (this.kinds ?? NONE).values();
  }

  private kindOf(kinds: Map<string, ErrorKind>, type: string): ErrorKind {
    const known = kinds.get(type);
    if (known !== undefined) return known;
    if (type !== OTHER && kinds.size - (kinds.has(OTHER) ? 1 : 0) >= MAX_KINDS)
      return this.kindOf(kinds, OTHER);
    const made = { labels: new Labels(attributesOf(this.of, new Labels({ "error.type": type }))), count: 0 };
    kinds.set(type, made);
    return made;
  }
}

const NONE: ReadonlyMap<string, ErrorKind> = new Map();
