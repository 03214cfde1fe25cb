import { instrument } from "../../adapters/instrument.js";
import { requireFunction } from "../../base/checks.js";
import type { BrokerOptions } from "../instrument.js";
import { type BullMQOptions, bullmq } from "./adapter.js";
import type { BullClient } from "./clients.js";

// biome-ignore lint/suspicious/noExplicitAny: whatever the constructor takes
type Class = new (...args: any[]) => BullClient;

/** `BullModule` of `@nestjs/bullmq`: of which classes it makes objects. */
export interface NestBullModule {
  queueClass: unknown;
  workerClass: unknown;
  flowProducerClass: unknown;
}

/** What {@link instrumentNest} needs of the package bullmq. */
export interface BullClasses {
  readonly Queue: Class;
  readonly Worker: Class;
  readonly FlowProducer: Class;
}

/** Options of `instrument` for one object; `queue` is undefined for a flow producer. */
export type OptionsOf = (queue: string | undefined) => Omit<BrokerOptions, "adapter">;

/**
 * Has Nest's `BullModule` instrument every queue, worker and flow producer that it makes. Call it before the modules are declared. Throws
 * `InvalidOptionTypeError` if `optionsOf` is no function; what that gives is checked when the object is made.
 *
 * @example
 * import { BullModule } from "@nestjs/bullmq";
 * import * as classes from "bullmq";
 * import { instrumentNest } from "queuescope/bullmq";
 *
 * instrumentNest(BullModule, classes, (queue) => (queue === "orders" ? { sla: { default: { targetMs: 5_000 } } } : {}));
 */
export function instrumentNest(
  module: NestBullModule | object,
  { Queue, Worker, FlowProducer }: BullClasses,
  optionsOf: OptionsOf = () => ({}),
  options?: BullMQOptions,
): void {
  requireFunction("optionsOf", optionsOf);
  const adapter = bullmq(options);
  const instrumented = <C extends Class>(Base: C): C => {
    const Instrumented = class extends Base {
      constructor(...args: ConstructorParameters<Class>) {
        super(...args);
        // A class that extends this one makes its own methods: they are there by now.
        instrument(this, { ...optionsOf(adapter.queueOf!(this)), adapter });
      }
    };
    Object.defineProperty(Instrumented, "name", { value: Base.name });
    return Instrumented;
  };
  Object.assign(module, {
    queueClass: instrumented(Queue),
    workerClass: instrumented(Worker),
    flowProducerClass: instrumented(FlowProducer),
  });
}
