import { realNow } from "../base/real-time.js";

/** How much of a value is copied, in characters; each value in it counts as one more. */
const MAX_COPIED = 16_384;
const MAX_DEPTH = 16;
/** In place of what is left out. */
const MORE = "…";

/**
 * A copy of a value as plain data, which JSON can show: bounded, and without references to what may change. Maps become pairs, sets arrays,
 * bigints texts; of bytes there is only their number. Throws what a getter or a `toJSON` in it throws.
 */
export function plainCopy(value: unknown): unknown {
  return new Copy().of(value, 0);
}

class Copy {
  private left = MAX_COPIED;
  /** What is being copied: a value within itself ends there. */
  private readonly around = new Set<object>();

  of(value: unknown, depth: number): unknown {
    this.left--;
    if (typeof value === "string") return this.text(value);
    if (typeof value === "bigint") return this.text(String(value));
    if (typeof value === "function" || typeof value === "symbol") return undefined;
    if (typeof value !== "object" || value === null) return value;
    if (this.around.has(value)) return "(circular)";
    if (depth >= MAX_DEPTH || this.left <= 0) return MORE;
    this.around.add(value);
    const copy = this.object(value, depth + 1);
    this.around.delete(value);
    return copy;
  }

  private object(value: object, depth: number): unknown {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `(${value.byteLength} bytes)`;
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") return this.of(toJSON.call(value, ""), depth);
    if (Array.isArray(value) || value instanceof Set || value instanceof Map) return this.list(value, depth);
    const said = value instanceof Error ? [this.entry("message", value.message, depth)] : [];
    return Object.fromEntries([...said, ...this.properties(value, depth)]);
  }

  private list(values: Iterable<unknown>, depth: number): unknown[] {
    const copies: unknown[] = [];
    for (const value of values) {
      if (this.left <= 0) {
        copies.push(MORE);
        break;
      }
      copies.push(this.of(value, depth));
    }
    return copies;
  }

  private properties(object: object, depth: number): [string, unknown][] {
    const entries: [string, unknown][] = [];
    for (const key of Object.keys(object)) {
      if (this.left <= 0) {
        entries.push([MORE, MORE]);
        break;
      }
      entries.push(this.entry(key, (object as Record<string, unknown>)[key], depth));
    }
    return entries;
  }

  private entry(key: string, value: unknown, depth: number): [string, unknown] {
    return [this.text(key), this.of(value, depth)];
  }

  private text(text: string): string {
    const cut = text.length > this.left ? `${text.slice(0, Math.max(0, this.left))}${MORE}` : text;
    this.left -= cut.length;
    return cut;
  }
}

/** How many values of an item are visited; the others count as their mean. */
const MAX_NODES = 256;
/** For how long items are weighed, in milliseconds: keys can only be listed all at once, and an item may have very many. */
const MAX_MS = 2;

/** What V8 takes on a 64-bit machine, roughly, in bytes. */
const POINTER = 8;
const OBJECT = 24;
const ARRAY = 32;
const NUMBER = 16;
const STRING = 16;
const ENTRY = 40;

/** About how many bytes the first of these items take together, and how many of them there was time for: one at least. Never throws. */
export function weigh(items: readonly unknown[]): { bytes: number; sampled: number } {
  const until = realNow() + MAX_MS;
  const seen = new WeakSet<object>();
  let bytes = 0;
  let sampled = 0;
  for (const item of items) {
    bytes += sizeOf(item, seen, until);
    sampled++;
    if (realNow() > until) break;
  }
  return { bytes, sampled };
}

/**
 * About how many bytes a value takes, with everything that it refers to; what is in `seen` counts nothing, because it was counted
 * with another item. Never throws, and calls nothing of the user's: no getter, no proxy's trap but those for keys. After `until`, an
 * instant of {@link realNow}, it looks into no further object.
 */
export function sizeOf(
  value: unknown,
  seen: WeakSet<object> = new WeakSet(),
  until = Number.POSITIVE_INFINITY,
): number {
  try {
    return new Walk(seen, until).size(value);
  } catch {
    return POINTER;
  }
}

class Walk {
  private left = MAX_NODES;

  constructor(
    private readonly seen: WeakSet<object>,
    private readonly until: number,
  ) {}

  size(value: unknown): number {
    this.left--;
    if (typeof value === "string") return STRING + textBytes(value);
    if (typeof value === "bigint") return NUMBER + POINTER;
    // Small integers stand in the place of a pointer to them.
    if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 0 : NUMBER;
    if (typeof value !== "object" || value === null) return 0;
    if (this.seen.has(value)) return 0;
    this.seen.add(value);
    if (realNow() > this.until) return OBJECT;
    if (ArrayBuffer.isView(value)) return OBJECT * 3 + value.byteLength;
    if (value instanceof ArrayBuffer) return OBJECT * 2 + value.byteLength;
    if (Array.isArray(value)) return ARRAY + this.several(value, value.length, POINTER);
    if (value instanceof Map)
      return (
        ARRAY * 2 +
        this.several(value.keys(), value.size, ENTRY) +
        this.several(value.values(), value.size, 0)
      );
    if (value instanceof Set) return ARRAY * 2 + this.several(value, value.size, ENTRY - POINTER);
    return OBJECT + this.properties(value);
  }

  private properties(object: object): number {
    const keys = Object.keys(object);
    const values = function* () {
      for (const key of keys) yield Object.getOwnPropertyDescriptor(object, key)?.value;
    };
    return this.several(values(), keys.length, POINTER);
  }

  /** Those that there is time for, and the others by their mean. */
  private several(values: Iterable<unknown>, count: number, each: number): number {
    let bytes = 0;
    let looked = 0;
    for (const value of values) {
      if (this.left <= 0) break;
      bytes += this.size(value);
      looked++;
    }
    return count * each + (looked === 0 ? 0 : (bytes / looked) * count);
  }
}

/** A text of this length is not read: V8 would flatten a concatenated one, which copies it. */
const LONG = 1_000_000;

/** One byte for each character, unless one of the first ones is not of Latin-1. */
function textBytes(text: string): number {
  if (text.length > LONG) return text.length;
  for (let i = 0; i < Math.min(text.length, 64); i++) if (text.charCodeAt(i) > 0xff) return 2 * text.length;
  return text.length;
}
