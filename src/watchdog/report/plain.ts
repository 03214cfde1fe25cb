/** How much of a value is copied, in characters; each value in it counts as one more. */
const MOST = 16_384;
const MOST_DEPTH = 16;
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
  private left = MOST;
  /** What is being copied: who comes up within itself ends there. */
  private readonly around = new Set<object>();

  of(value: unknown, depth: number): unknown {
    this.left--;
    if (typeof value === "string") return this.text(value);
    if (typeof value === "bigint") return this.text(String(value));
    if (typeof value === "function" || typeof value === "symbol") return undefined;
    if (typeof value !== "object" || value === null) return value;
    if (this.around.has(value)) return "(circular)";
    if (depth >= MOST_DEPTH || this.left <= 0) return MORE;
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
