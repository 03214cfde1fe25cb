/** BullMQ 5 and 6: `instrument(queue, { adapter: bullmq() })`. BullMQ is imported only where `brokerQueue` opens a queue of it. */

export { type BullMQOptions, bullmq } from "./brokers/bullmq/adapter.js";
export type { BullClient } from "./brokers/bullmq/clients.js";
export {
  type BullClasses,
  instrumentNest,
  type NestBullModule,
  type OptionsOf,
} from "./brokers/bullmq/nest.js";
export { sandboxed } from "./brokers/bullmq/sandboxed.js";
export { handleJob } from "./brokers/bullmq/worker.js";
