import { AsyncResource } from "node:async_hooks";
import { Refusal } from "../refusal.js";
import { blockedLoop } from "./blocked-loop.js";
import { burst } from "./burst.js";
import { carrierDown } from "./carrier-down.js";
import { failingHandler } from "./failing-handler.js";
import type { Breakable, Fault } from "./fault.js";
import { noConsumer } from "./no-consumer.js";
import { slowConsumer } from "./slow-consumer.js";

const FAULTS: readonly Fault[] = [slowConsumer, noConsumer, burst, blockedLoop, failingHandler, carrierDown];

export interface FaultStatus {
  readonly name: string;
  readonly active: boolean;
  readonly says: string;
}

/** What goes wrong at the moment. */
export class Faults {
  /** By name, how to end it. */
  private readonly ends = new Map<string, () => void>();
  /** What a fault sets going belongs to the service, not to the request that asked for it: not its trace, not its correlation ID. */
  private readonly scope = new AsyncResource("Faults");
  private isClosed = false;

  constructor(private readonly service: Breakable) {}

  list(): FaultStatus[] {
    return FAULTS.map(({ name, says }) => ({ name, active: this.ends.has(name), says }));
  }

  /** Begins or ends it, if that isn't so already. Undefined if there is no such fault. Throws a {@link Refusal} once closed. */
  set(name: string, active: boolean): FaultStatus | undefined {
    const fault = FAULTS.find((each) => each.name === name);
    if (fault === undefined) return undefined;
    if (active) this.begin(fault);
    else this.end(name);
    return { name, active, says: fault.says };
  }

  /** Ends what there is, for good. */
  close(): void {
    this.isClosed = true;
    for (const name of [...this.ends.keys()]) this.end(name);
  }

  private begin(fault: Fault): void {
    if (this.ends.has(fault.name)) return;
    if (this.isClosed) throw new Refusal(503, "the service is shutting down");
    console.log(`\n── fault ${fault.name}: ${fault.says}`);
    this.ends.set(
      fault.name,
      this.scope.runInAsyncScope(() => fault.begin(this.service)),
    );
  }

  private end(name: string): void {
    const end = this.ends.get(name);
    if (end === undefined) return;
    this.ends.delete(name);
    this.scope.runInAsyncScope(end);
    console.log(`\n── fault ${name} is over`);
  }
}
