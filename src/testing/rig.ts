import assert from "node:assert/strict";
import type { Attachment, Capability, Probe } from "../contracts/index.js";
import { eventually, turn } from "./eventually.js";
import { Gate, Job } from "./job.js";
import type { PutWishes, QueueKind } from "./kind.js";
import { Puller } from "./puller.js";
import { context, StrictTelemetry } from "./strict-telemetry.js";

/** What a put may wish for, besides what the rig itself sets. */
export type Wishes = Omit<PutWishes, "handle">;

let count = 0;

/** One queue under test, with telemetry that keeps count, and handlers that do as they are told. */
export class Rig<Q extends object> {
  readonly queue: Q;
  readonly jobs: Job[] = [];
  /** In order of their handlers' start. */
  readonly started: Job[] = [];
  private current: { readonly telemetry: StrictTelemetry; readonly attachment: Attachment } | undefined;
  private readonly name = `conformance-${count++}`;
  /** Jobs that wait for a handler, by item, in order of their puts. */
  private readonly byItem = new Map<unknown, Job[]>();
  private readonly complaints: string[] = [];
  private readonly puller: Puller | undefined;

  constructor(
    readonly kind: QueueKind<Q>,
    readonly concurrency = 1,
  ) {
    const { handle, name } = this;
    this.queue = context.run(undefined, () => kind.make({ handle, concurrency, name }));
    if (kind.consume !== undefined) {
      this.puller = new Puller((each) => kind.consume!(this.queue, each), handle, concurrency);
    }
  }

  /** A queue with telemetry attached. */
  static attached<Q extends object>(kind: QueueKind<Q>, concurrency = 1): Rig<Q> {
    const rig = new Rig(kind, concurrency);
    rig.attach();
    return rig;
  }

  get telemetry(): StrictTelemetry {
    assert.ok(this.current, "nothing is attached");
    return this.current.telemetry;
  }

  get probe(): Probe {
    assert.ok(this.current, "nothing is attached");
    return this.current.attachment.probe;
  }

  /** What the attachment says it tells; undefined if that is everything. */
  get tells(): readonly Capability[] | undefined {
    return this.current?.attachment.capabilities;
  }

  attach(): StrictTelemetry {
    const { adapter, handlers } = this.kind;
    const { name, queue } = this;
    const telemetry = new StrictTelemetry(
      name,
      adapter.tiersOf(queue),
      adapter.priorities === true,
      handlers === "in-context",
    );
    this.current = { telemetry, attachment: adapter.attach(queue, telemetry) };
    return telemetry;
  }

  detach(): void {
    this.current?.attachment.detach();
  }

  /** Puts an item like no other, in a context of its own; its handler does the work. */
  put(work?: () => unknown, wishes?: Wishes): Job {
    return this.putItem({}, work, wishes);
  }

  putItem(item: unknown, work: () => unknown = () => undefined, wishes: Wishes = {}): Job {
    const [job] = this.call([item], work, () =>
      this.kind.put(this.queue, item, { ...wishes, handle: this.handle }),
    );
    return job!;
  }

  putMany(items: readonly unknown[]): Job[] {
    return this.call(
      items,
      () => undefined,
      () => this.kind.putMany?.(this.queue, items, { handle: this.handle }),
    );
  }

  /** Gives every worker something to do until the gates open, so that what is put next has to wait. */
  async block(): Promise<Gate[]> {
    const gates = Array.from({ length: this.concurrency }, () => new Gate());
    const jobs = gates.map((gate) => this.put(gate.work));
    await eventually(
      () => jobs.every(({ stage }) => stage === "running"),
      () => `only ${this.started.length} of ${this.concurrency} handlers were called`,
    );
    await turn();
    return gates;
  }

  pause(): void {
    this.puller?.pause();
    this.kind.pause?.(this.queue);
  }

  resume(): void {
    this.kind.resume?.(this.queue);
    this.puller?.resume();
  }

  /** Drops what waits; says how many those are. */
  drop(how: "clear" | "kill"): number {
    const waiting = this.jobs.filter(({ stage }) => stage === "waiting");
    for (const job of waiting) this.forget(job);
    this.kind[how]?.(this.queue);
    return waiting.length;
  }

  /** The job won't come to its handler any more. */
  forget(job: Job): void {
    job.stage = "dropped";
    const line = this.byItem.get(job.item);
    line?.splice(line.indexOf(job), 1);
    this.puller?.add(-1);
  }

  /** Waits until so many handlers were called. */
  async untilStarted(most: number): Promise<void> {
    await eventually(
      () => this.started.length >= most,
      () => `${this.started.length} handlers were called, not ${most}: items are stuck or lost`,
    );
    await turn();
  }

  /** Waits until each item that was put was handled, and the telemetry has heard of it. */
  async untilIdle(): Promise<void> {
    const open = () => this.jobs.filter(({ stage }) => stage === "waiting" || stage === "running").length;
    await eventually(
      () => open() === 0,
      () => `of ${this.jobs.length} items ${open()} were never handled to the end: stuck or lost`,
    );
    // What is told late, or twice, is told by then.
    for (let i = 0; i < 5; i++) await turn();
  }

  /** What the job's put gave in the end. */
  async outcomeOf(job: Job): Promise<Job["outcome"]> {
    await eventually(
      () => job.outcome !== undefined,
      () => "a put's promise never settles",
    );
    return job.outcome;
  }

  /** The telemetry has nothing to complain about, and heard of nothing that the adapter doesn't tell. */
  check(): void {
    assert.deepEqual(this.complaints, []);
    if (this.current === undefined) return;
    const { telemetry, attachment } = this.current;
    assert.deepEqual(telemetry.complaints, [], "the adapter broke the contract");
    for (const told of telemetry.told) {
      const isAllowed = attachment.capabilities === undefined || attachment.capabilities.includes(told);
      assert.ok(isAllowed, `the adapter told of ${told}, which its tells lacks`);
    }
  }

  /** How many items wait, by the probe. */
  depth(): number {
    const { probe } = this;
    return probe.tiers.reduce((sum, _, tier) => sum + probe.depth(tier), 0);
  }

  private call(items: readonly unknown[], work: () => unknown, put: () => unknown): Job[] {
    const origin = {};
    const jobs = items.map((item) => Object.assign(new Job(item, work), { origin }));
    for (const job of jobs) {
      this.jobs.push(job);
      const line = this.byItem.get(job.item);
      if (line === undefined) this.byItem.set(job.item, [job]);
      else line.push(job);
    }
    let result: unknown;
    try {
      result = context.run(origin, put);
    } catch (error) {
      this.complaints.push(`put threw: ${String(error)}`);
    }
    // Nothing else looks at what the put gave, so that nothing is left unhandled.
    const look = (outcome: Job["outcome"]) => {
      for (const job of jobs) job.outcome = outcome;
    };
    const accepted = Promise.resolve(result).then(
      (value) => look({ value }),
      (error: unknown) => look({ error }),
    );
    const { puller } = this;
    if (puller !== undefined) accepted.then(() => puller.add(items.length));
    return jobs;
  }

  private readonly handle = (item: unknown): unknown => {
    const job = this.byItem.get(item)?.shift();
    if (job === undefined) {
      this.complaints.push("a handler got an item that nobody put, or once more than it was put");
      return undefined;
    }
    job.stage = "running";
    job.seen.push(context.getStore());
    this.started.push(job);
    const over = (failure?: { readonly error: unknown }) => {
      job.seen.push(context.getStore());
      job.failure = failure;
      job.stage = "over";
    };
    let result: unknown;
    try {
      result = job.work();
    } catch (error) {
      over({ error });
      throw error;
    }
    if (!(result instanceof Promise)) {
      over();
      return result;
    }
    return result.then(
      (value) => {
        over();
        return value;
      },
      (error) => {
        over({ error });
        throw error;
      },
    );
  };
}
