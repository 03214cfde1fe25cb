import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { LifoQueue } from "../../src/queue/lifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { describeQueue } from "./conformance.js";

describeQueue("a FifoQueue", (options) => new FifoQueue(options), [0, 1, 2]);
describeQueue("a LifoQueue", (options) => new LifoQueue(options), [2, 1, 0]);
describeQueue("a PriorityQueue", (options) => new PriorityQueue(options), [0, 1, 2]);
