export { FifoQueue } from "./queue/fifo-queue.js";
export { LifoQueue } from "./queue/lifo-queue.js";
export { PriorityQueue } from "./queue/priority-queue.js";
