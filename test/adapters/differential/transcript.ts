/** Writes down what a user sees, in words that are the same on both sides whenever the things are. */
export class Transcript {
  readonly lines: string[] = [];
  private readonly names = new Map<unknown, string>();
  private readonly counts = new Map<string, number>();

  /** `brief` is added to every line: what the user would see if they looked just then. */
  constructor(private readonly brief: () => string) {}

  note(line: string): void {
    this.lines.push(`${line}  [${this.brief()}]`);
  }

  /** From now on, this very object is known by its name: "item 3". */
  name<T extends object>(thing: T, kind: string): T {
    if (!this.names.has(thing)) this.names.set(thing, this.nextName(kind));
    return thing;
  }

  nextName(kind: string): string {
    const count = this.counts.get(kind) ?? 0;
    this.counts.set(kind, count + 1);
    return `${kind} ${count}`;
  }

  error(): Error {
    const error = new TypeError("the user's own");
    return this.name(error, "error");
  }

  /** Writes down a call and what came of it. `follows`: the user looks after promises that it returned. */
  call(what: string, fn: () => unknown, follows = true): void {
    this.note(`${what} …`);
    let result: unknown;
    try {
      result = fn();
    } catch (error) {
      this.note(`${what} throws ${this.words(error)}`);
      return;
    }
    this.note(`${what} returns ${this.words(result)}`);
    if (follows) this.follow(result);
  }

  /** Writes down how promises end. */
  follow(value: unknown): void {
    if (Array.isArray(value)) for (const each of value) this.follow(each);
    if (!(value instanceof Promise)) return;
    const name = this.words(value);
    value.then(
      (result) => this.note(`${name} resolves with ${this.words(result)}`),
      (error) => this.note(`${name} rejects with ${this.words(error)}`),
    );
  }

  words(value: unknown, depth = 0): string {
    if (typeof value === "string") return JSON.stringify(value);
    if (typeof value === "bigint") return `${value}n`;
    if (Object.is(value, -0)) return "-0";
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return String(value);
    const name = this.names.get(value);
    if (name !== undefined) return name;
    // Promises are told apart by the order in which the user first sees them.
    if (value instanceof Promise)
      return this.words(this.name(value, `${kindOf(value)}${this.fields(value, depth)}`));
    if (typeof value === "function") return `function ${value.name}/${value.length}`;
    if (value instanceof Error) {
      return `${kindOf(value)} ${value.name}: ${value.message} ${this.fields(value, depth)}`;
    }
    if (depth > 3) return kindOf(value);
    if (Array.isArray(value)) return `[${value.map((each) => this.words(each, depth + 1)).join(", ")}]`;
    const kind = kindOf(value);
    return `${kind === "Object" ? "" : `${kind} `}${this.fields(value, depth) || "{}"}`;
  }

  private fields(value: object, depth: number): string {
    const fields = Object.entries(value).map(([key, field]) => `${key}: ${this.words(field, depth + 1)}`);
    return fields.length === 0 ? "" : `{ ${fields.join(", ")} }`;
  }
}

function kindOf(value: object): string {
  return Object.getPrototypeOf(value)?.constructor?.name ?? "null";
}
