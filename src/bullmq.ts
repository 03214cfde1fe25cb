/** BullMQ 5 and 6: `instrument(queue, { adapter: bullmq() })`. Nothing of BullMQ is imported. */

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
