/** One item of the suite's, and what its handler is to do. */
export class Job {
  /** The context of its put. */
  readonly origin = {};
  /** What the queue's put gave, or its promise. */
  outcome: { readonly value: unknown } | { readonly error: unknown } | undefined = undefined;
  /** In which contexts its handler ran. */
  readonly seen: unknown[] = [];
  stage: "waiting" | "running" | "over" | "dropped" = "waiting";
  /** How the handler ended. */
  failure: { readonly error: unknown } | undefined = undefined;

  constructor(
    readonly item: unknown,
    readonly work: () => unknown,
  ) {}
}

/** Work that goes on until it is ended. */
export class Gate {
  readonly work: () => Promise<unknown>;
  open!: (value?: unknown) => void;
  fail!: (error: unknown) => void;

  constructor() {
    const over = new Promise((resolve, reject) => {
      this.open = resolve;
      this.fail = reject;
    });
    this.work = () => over;
  }
}
