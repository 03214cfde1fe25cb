import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import type {
  Capability,
  Carrier,
  DropReason,
  OpenContext,
  Outcome,
  QueueTelemetry,
  TaskFacts,
} from "../contracts/index.js";

/** Whose put it is: what a handler must find again. One instance for the whole suite. */
export const context = new AsyncLocalStorage<object | undefined>();

/** What one put begins, and travels with its items. */
class Mark {
  readonly origin = context.getStore();
  isOver = false;
  accepted = 0;
  taken = 0;

  constructor(
    public tier: number,
    readonly count: number,
  ) {}
}

/** What `begin` gives, and what is asked back at `within` and `end`. */
class Began {
  isOver = false;
  constructor(readonly carrier: Carrier) {}
}

const REASONS: readonly DropReason[] = ["evicted", "expired", "rejected", "shutdown"];

/**
 * Keeps count of what it is told, and writes down whatever the contract rules out. It never throws: an adapter may swallow an
 * exception, but it can't swallow a complaint.
 */
export class StrictTelemetry implements QueueTelemetry {
  readonly tierNames: string[];
  readonly complaints: string[] = [];
  /** What kind of thing was told so far. */
  readonly told = new Set<Capability>();
  readonly drops: DropReason[] = [];
  readonly origins: (object | undefined)[] = [];
  readonly takes: { readonly origin: object | undefined; readonly enqueuedAt: number }[] = [];
  readonly failures: unknown[] = [];
  readonly endings: ({ readonly error: unknown } | undefined)[] = [];
  begun = 0;
  over = 0;
  accepted = 0;
  settlements = 0;
  lost = 0;
  spans = 0;
  /** How many items may come out that were not seen to come in. */
  strangers = 0;
  private readonly tiers = new Map([[0, 0]]);

  constructor(
    readonly queueName: string,
    tierNames: readonly string[],
    private readonly hasPriorities: boolean,
    /** Whether handlers run in the context of their items. */
    private readonly isInContext: boolean,
  ) {
    this.tierNames = [...tierNames];
    if (tierNames.length === 0) this.complain("tiersOf gave no tier");
  }

  tierOf(priority: number): number {
    if (!this.hasPriorities) this.complain("tierOf was called, but the adapter has no priorities");
    let tier = this.tiers.get(priority);
    if (tier === undefined) {
      tier = this.tierNames.push(String(priority)) - 1;
      this.tiers.set(priority, tier);
    }
    return tier;
  }

  putAtOnce(tier: number, correlationId: string | undefined): Carrier {
    const carrier = this.putStarted(tier, correlationId, 1);
    this.putDone(carrier, tier, 1, 0);
    return carrier;
  }

  putStarted(tier: number, _correlationId: string | undefined, count: number): Carrier {
    this.checkTier("putStarted", tier);
    if (!(Number.isInteger(count) && count >= 1)) this.complain(`putStarted with a count of ${count}`);
    this.begun++;
    const mark = new Mark(tier, count);
    for (let i = 0; i < count; i++) this.origins.push(mark.origin);
    return mark;
  }

  putDone(carrier: Carrier, tier: number, count: number, tookMs: number): void {
    this.putOver("putDone", carrier, tier, count, tookMs);
    if (carrier instanceof Mark && count !== carrier.count) {
      this.complain(`putDone says ${count} items, putStarted said ${carrier.count}`);
    }
  }

  putFailed(carrier: Carrier, tier: number, accepted: number, tookMs: number): void {
    this.putOver("putFailed", carrier, tier, accepted, tookMs);
  }

  pullStarted(): object {
    this.told.add("pulls");
    return { isOver: false };
  }

  takenAtOnce(
    pull: object | undefined,
    carrier: Carrier,
    tier: number,
    enqueuedAt: number,
    now: number,
    attempt: number,
  ): void {
    this.taken(carrier, tier, enqueuedAt, now, attempt);
    this.pullDone(pull, carrier, 0);
  }

  taken(carrier: Carrier, tier: number, enqueuedAt: number, now: number, attempt: number): void {
    this.told.add("takes");
    this.checkTier("taken", tier);
    if (!Number.isFinite(now)) this.complain(`taken at ${now}`);
    if (enqueuedAt > now) this.complain(`taken ${enqueuedAt - now} ms before it came in`);
    if (!(Number.isInteger(attempt) && attempt >= 1)) this.complain(`taken with attempt ${attempt}`);
    const mark = this.markOf("taken", carrier);
    this.takes.push({ origin: mark?.origin, enqueuedAt });
    if (mark === undefined) {
      if (this.takes.filter(({ origin }) => origin === undefined).length > this.strangers) {
        this.complain("taken without what travelled with the item");
      }
      return;
    }
    if (Number.isNaN(enqueuedAt)) this.complain("taken, and nobody knows when it came in");
    if (attempt === 1 && ++mark.taken > mark.count) this.complain("taken once more than it was put");
  }

  pullDone(
    pull: object | undefined,
    carriers: Carrier | readonly Carrier[],
    tookMs: number,
    _error?: unknown,
  ): void {
    this.told.add("pulls");
    this.checkDuration("pullDone", tookMs);
    for (const carrier of Array.isArray(carriers) ? carriers : [carriers]) this.markOf("pullDone", carrier);
    if (pull === undefined) return;
    const known = pull as { isOver?: boolean };
    if (known.isOver !== false) this.complain("pullDone for no pull that is open");
    known.isOver = true;
  }

  dropped(tier: number, reason: DropReason, attempt: number): void {
    this.checkTier("dropped", tier);
    if (!REASONS.includes(reason)) this.complain(`dropped for the reason ${JSON.stringify(reason)}`);
    if (!(Number.isInteger(attempt) && attempt >= 1)) this.complain(`dropped with attempt ${attempt}`);
    this.told.add(reason);
    this.drops.push(reason);
  }

  settled(outcome: Outcome, processMs: number | undefined, error?: unknown): void {
    this.told.add("outcomes");
    if (processMs !== undefined) {
      this.told.add("durations");
      this.checkDuration("settled", processMs);
    }
    this.settle();
    if (outcome === "failure") this.failures.push(error);
    else if (outcome !== "success") this.complain(`settled as ${JSON.stringify(outcome)}`);
  }

  deadLettered(processMs: number | undefined, error: unknown): void {
    this.told.add("dead-letters");
    if (processMs !== undefined) this.checkDuration("deadLettered", processMs);
    this.settle();
    this.failures.push(error);
  }

  gateWaited(_gate: string, waitedMs: number): void {
    this.checkDuration("gateWaited", waitedMs);
  }

  retried(): void {
    this.told.add("retries");
  }

  givenBack(): void {
    this.complain("givenBack was called, which only iterations of our own queues do");
  }

  reentered(tier: number): void {
    this.told.add("retries");
    this.checkTier("reentered", tier);
  }

  correlationIdOf(): string | undefined {
    return undefined;
  }

  contextLost(): void {
    this.lost++;
    if (this.isInContext) this.complain("contextLost");
  }

  fault(error: unknown): void {
    this.complain(`fault: ${String(error)}`);
  }

  run<R>(carrier: Carrier, task: TaskFacts, fn: () => R): R {
    const began = this.begin(carrier, task);
    let result: R;
    try {
      result = this.within(began, carrier, task, fn);
    } catch (error) {
      this.end(began, { error });
      throw error;
    }
    if (result instanceof Promise) {
      result.then(
        () => this.end(began),
        (error: unknown) => this.end(began, { error }),
      );
    } else this.end(began);
    return result;
  }

  begin(carrier: Carrier, task: TaskFacts): object {
    this.spans++;
    this.markOf("begin", carrier);
    const { tier, attempt, waitMs, correlationId } = task;
    if (!this.tierNames.includes(tier)) this.complain(`begin with the tier ${JSON.stringify(tier)}`);
    if (!(attempt >= 1)) this.complain(`begin with attempt ${attempt}`);
    if (waitMs !== undefined) this.checkDuration("begin", waitMs);
    if (typeof correlationId !== "string" || correlationId === "" || correlationId !== task.correlationId) {
      this.complain("begin with no correlation ID that stays the same");
    }
    return new Began(carrier);
  }

  released(carrier: Carrier): Carrier {
    return carrier;
  }

  within<R>(began: object | undefined, carrier: Carrier, _task: TaskFacts, fn: () => R): R {
    if (!(began instanceof Began)) this.complain("within, without what begin gave");
    else if (began.isOver) this.complain("within, after end");
    else if (began.carrier !== carrier) this.complain("within, with what travelled with another item");
    return context.run(this.markOf("within", carrier)?.origin, fn);
  }

  open(began: object | undefined, carrier: Carrier, task: TaskFacts): OpenContext {
    return { scope: this.within(began, carrier, task, () => new AsyncResource("test.handler")) };
  }

  end(began: object | undefined, failure?: { readonly error: unknown }): void {
    if (!(began instanceof Began)) this.complain("end, without what begin gave");
    else if (began.isOver) this.complain("end, a second time");
    else began.isOver = true;
    this.endings.push(failure);
  }

  private settle(): void {
    this.settlements++;
    if (this.told.has("takes") && this.settlements > this.takes.length + this.strangers) {
      this.complain(`settled ${this.settlements} tasks, of ${this.takes.length} that were taken`);
    }
  }

  private putOver(call: string, carrier: Carrier, tier: number, accepted: number, tookMs: number): void {
    this.checkTier(call, tier);
    this.checkDuration(call, tookMs);
    this.over++;
    this.accepted += accepted;
    const mark = this.markOf(call, carrier);
    if (mark === undefined) return;
    if (mark.isOver) this.complain(`${call}, after the put was over`);
    if (mark.tier !== tier) this.complain(`${call} in tier ${tier}, putStarted was in tier ${mark.tier}`);
    mark.isOver = true;
    mark.accepted = accepted;
  }

  private markOf(call: string, carrier: Carrier | readonly Carrier[]): Mark | undefined {
    if (carrier instanceof Mark) return carrier;
    if (carrier !== undefined) this.complain(`${call}, with a carrier that putStarted didn't give`);
    return undefined;
  }

  private checkTier(call: string, tier: number): void {
    if (this.tierNames[tier] === undefined) this.complain(`${call} in tier ${tier}, which there isn't`);
  }

  private checkDuration(call: string, ms: number): void {
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) this.complain(`${call} took ${ms} ms`);
  }

  private complain(what: string): void {
    if (this.complaints.length < 10) this.complaints.push(what);
  }
}
