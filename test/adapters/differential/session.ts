import fc from "fast-check";
import { Faults } from "./faults.js";
import { Transcript } from "./transcript.js";
import { VirtualTime } from "./virtual-time.js";

const realSetImmediate = globalThis.setImmediate;

/** What the user does besides calling the queue: let time pass, and watch how it does. */
const pause = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("let one microtask pass") }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("let a turn pass") }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("let time pass"), ms: fc.integer({ min: 1, max: 12 }) }),
  },
);

/** What the user's code may do within a task, a callback or a listener, too. */
const aside = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("count microtasks") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("throw") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("change sides") }) },
);

type Pause = typeof pause extends fc.Arbitrary<infer P> ? P : never;
type Aside = typeof aside extends fc.Arbitrary<infer A> ? A : never;

/** What happens: one step after the other, and what the user's code does whenever a queue calls it (null: nothing). */
export interface Script<Op> {
  readonly steps: readonly (Op | Pause | Aside)[];
  readonly inner: readonly (Op | Aside | null)[];
}

export function scriptOf<Op>(op: fc.Arbitrary<Op>, maxLength: number): fc.Arbitrary<Script<Op>> {
  const step = fc.oneof(
    { weight: 20, arbitrary: op },
    { weight: 8, arbitrary: pause },
    { weight: 2, arbitrary: aside },
  );
  const inner = fc.option(fc.oneof({ weight: 6, arbitrary: op }, { weight: 2, arbitrary: aside }), {
    freq: 2,
  });
  return fc.record({
    steps: fc.array(step, { maxLength, size: "max" }),
    inner: fc.array(inner, { maxLength: maxLength / 2, size: "max" }),
  });
}

/** A queue and its user, on one of the two sides. */
export interface Subject<Op> {
  /** Does it, and returns what the queue returned. */
  perform(op: Op): unknown;
  /** What the user sees at a glance; noted with every line. */
  brief(): string;
  /** All that the user can see; what of it has changed is noted. `isOver`: at the very end. */
  sight(isOver: boolean): object;
  /** Does nothing wait or run any more? */
  isIdle(): boolean;
  /** Wrapped turns into bare, and bare into wrapped; a side that is bare throughout does nothing. */
  changeSides(): void;
  /** Lets everything run that still waits. */
  release(): void;
}

/** Plays a script on one side. */
export class Session<Op> {
  readonly time = new VirtualTime();
  readonly transcript: Transcript = new Transcript(() => this.glance(() => this.subject.brief()));
  /** What ends when everything has to come to an end. */
  readonly open: (() => void)[] = [];
  private readonly inner: (Op | Aside | null)[];
  private readonly subject: Subject<Op>;
  private depth = 0;
  /** Has the user's code called the queue while that called it? */
  wasReentered = false;
  private readonly seen = new Map<string, string>();

  constructor(
    private readonly script: Script<Op>,
    create: (session: Session<never>) => Subject<Op>,
  ) {
    this.inner = [...script.inner];
    this.time.install();
    this.subject = create(this as unknown as Session<never>);
  }

  /** The log of what the user saw. */
  async play(): Promise<readonly string[]> {
    const faults = new Faults(this.transcript);
    try {
      for (const step of this.script.steps) {
        await this.step(step);
        this.look();
      }
      await this.end();
    } finally {
      faults.stop();
      this.time.restore();
    }
    return this.transcript.lines;
  }

  get isSettled(): boolean {
    return this.subject.isIdle();
  }

  /** A queue has called the user's code, which may call the queue in turn, or throw. */
  reenter(): void {
    if (this.depth > 2) return;
    const op = this.inner.shift();
    if (op === undefined || op === null) return;
    this.depth++;
    this.wasReentered = true;
    try {
      this.act(op);
    } finally {
      this.depth--;
    }
  }

  after<T>(ms: number, value: T, error?: Error): Promise<T> {
    return new Promise((resolve, reject) => {
      setTimeout(() => (error === undefined ? resolve(value) : reject(error)), ms);
    });
  }

  private async step(step: Op | Pause | Aside): Promise<void> {
    const pause = step as Pause;
    if (pause.do === "let one microtask pass") await undefined;
    else if (pause.do === "let a turn pass") await turn();
    else if (pause.do === "let time pass") {
      const end = this.time.elapsedMs + pause.ms;
      do await turn();
      while (this.fire(end));
    } else {
      try {
        this.act(step as Op | Aside);
      } catch {
        // Thrown by the user to the user.
      }
    }
  }

  private act(op: Op | Aside): void {
    const aside = op as Aside;
    if (aside.do === "throw") throw this.transcript.error();
    if (aside.do === "count microtasks") void this.countMicrotasks();
    else if (aside.do === "change sides") this.subject.changeSides();
    else this.perform(op as Op & { readonly follows?: boolean });
  }

  private perform(op: Op & { readonly follows?: boolean }): void {
    this.transcript.call(this.transcript.words(op), () => this.subject.perform(op), op.follows);
  }

  private async countMicrotasks(): Promise<void> {
    const name = this.transcript.nextName("count");
    for (let i = 1; i <= 10; i++) {
      await undefined;
      this.transcript.note(`${name}: ${i} microtasks later`);
    }
  }

  /** Everything comes to its end. A task that throws may keep a queue from going on, so it is told so again. */
  private async end(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      this.transcript.call("the user lets everything run", () => this.subject.release());
      await this.settle();
    }
    this.look(true);
  }

  private async settle(): Promise<void> {
    for (let i = 0; i < 400; i++) {
      await turn();
      const open = this.open.shift();
      if (open !== undefined) this.contain(open);
      else if (!this.fire(Number.POSITIVE_INFINITY)) return;
    }
  }

  private fire(untilMs: number): boolean {
    return this.contain(() => this.time.fire(untilMs)) ?? true;
  }

  private contain<R>(fn: () => R): R | undefined {
    try {
      return fn();
    } catch (error) {
      this.transcript.note(`nobody catches ${this.transcript.words(error)}`);
      return undefined;
    }
  }

  private look(isOver = false): void {
    const seen = this.glance(() =>
      Object.entries({ ...this.subject.sight(isOver), timers: this.time.pending }),
    );
    if (typeof seen === "string") this.transcript.note(seen);
    else for (const [key, value] of seen) this.lookAt(key, this.transcript.words(value));
  }

  private lookAt(key: string, words: string): void {
    if (this.seen.get(key) !== words) this.transcript.note(`the user sees ${key}: ${words}`);
    this.seen.set(key, words);
  }

  private glance<R>(look: () => R): R | string {
    try {
      return look();
    } catch (error) {
      return `a look throws ${error}`;
    }
  }
}

/** Everything that waits for no timer has happened; two turns, because Node needs the second after an uncaught exception. */
async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => void realSetImmediate(resolve));
}
