import { AsyncResource } from "node:async_hooks";
import { expect } from "vitest";
import { QueueFullError } from "../../src/base/errors.js";
import type {
  Carrier,
  DropReason,
  OpenContext,
  Outcome,
  QueueTelemetry,
  TaskFacts,
} from "../../src/contracts/index.js";

/** What one put begins, and its items carry. */
class Mark {
  taken = 0;
  isOver = false;
  constructor(
    readonly tier: number,
    readonly correlationId: string | undefined,
    readonly count: number,
  ) {}
}

/** An observer that keeps count, and fails the test on anything that its contract rules out. */
export class Recorder implements QueueTelemetry {
  readonly queueName = "recorded";
  readonly tierNames = ["default"];
  putsBegun = 0;
  putsOver = 0;
  accepted = 0;
  refused = 0;
  pullsBegun = 0;
  pullsOver = 0;
  takes = 0;
  drops = 0;
  retries = 0;
  reentries = 0;
  settlements = 0;
  faults = 0;
  readonly log: string[] = [];

  tierOf(): number {
    return 0;
  }

  putAtOnce(tier: number, correlationId: string | undefined): Carrier {
    const carrier = this.putStarted(tier, correlationId, 1);
    this.putDone(carrier, tier, 1, 0);
    return carrier;
  }

  putStarted(tier: number, correlationId: string | undefined, count: number): Carrier {
    this.putsBegun++;
    return new Mark(tier, correlationId, count);
  }

  putDone(carrier: Carrier, tier: number, count: number, tookMs: number): void {
    this.endPut(carrier, tier, tookMs);
    if (carrier instanceof Mark) expect(count).toBe(carrier.count);
    this.accepted += count;
  }

  putFailed(carrier: Carrier, tier: number, accepted: number, tookMs: number, error: unknown): void {
    this.endPut(carrier, tier, tookMs);
    this.accepted += accepted;
    if (error instanceof QueueFullError) this.refused += error.items?.length ?? 1;
  }

  pullStarted(): object {
    this.pullsBegun++;
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
    this.takes++;
    isDuration(now - enqueuedAt);
    if (!(carrier instanceof Mark)) return;
    expect(tier).toBe(carrier.tier);
    if (attempt === 1) expect(++carrier.taken).toBeLessThanOrEqual(carrier.count);
  }

  pullDone(pull: object | undefined, _carriers: Carrier | readonly Carrier[], tookMs: number): void {
    isDuration(tookMs);
    this.pullsOver++;
    if (pull === undefined) return;
    expect(pull).toEqual({ isOver: false });
    Object.assign(pull, { isOver: true });
  }

  givenBack(carrier: Carrier, _tier: number, attempt: number): void {
    this.takes--;
    if (carrier instanceof Mark && attempt === 1) carrier.taken--;
  }

  released(carrier: Carrier): Carrier {
    return carrier;
  }

  dropped(_tier: number, reason: DropReason, attempt: number): void {
    expect(attempt).toBeGreaterThanOrEqual(1);
    this.drops++;
    this.log.push(reason);
  }

  settled(_outcome: Outcome, processMs: number | undefined): void {
    if (processMs !== undefined) isDuration(processMs);
    this.settlements++;
  }

  retried(processMs: number | undefined): void {
    if (processMs !== undefined) isDuration(processMs);
    this.retries++;
  }

  reentered(): void {
    this.reentries++;
  }

  correlationIdOf(carrier: Carrier): string | undefined {
    return carrier instanceof Mark ? carrier.correlationId : undefined;
  }

  contextLost(): void {
    throw new Error("a queue of ours loses no context");
  }

  fault(): void {
    this.faults++;
  }

  run<R>(_carrier: Carrier, _task: TaskFacts, fn: () => R): R {
    this.log.push("run");
    return fn();
  }

  begin(): undefined {}

  deadLettered(): void {
    this.settlements++;
  }

  gateWaited(): void {}

  within<R>(_began: object | undefined, carrier: Carrier, task: TaskFacts, fn: () => R): R {
    return this.run(carrier, task, fn);
  }

  open(): OpenContext {
    return { scope: new AsyncResource("test.handler") };
  }

  end(): void {}

  private endPut(carrier: Carrier, tier: number, tookMs: number): void {
    isDuration(tookMs);
    this.putsOver++;
    if (!(carrier instanceof Mark)) return;
    expect(tier).toBe(carrier.tier);
    expect(carrier.isOver).toBe(false);
    carrier.isOver = true;
  }
}

function isDuration(ms: number): void {
  if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new Error(`not a duration: ${ms}`);
}
