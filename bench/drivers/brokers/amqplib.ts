import { createRequire } from "node:module";
import type * as Amqplib from "amqplib";
import { instrument } from "queuescope";
import { amqplib } from "queuescope/amqplib";
import { type How, registerSdk, serve, tracesOf } from "./contestant.js";

/** So many messages are published before their confirms are awaited, each of which comes after tens of milliseconds. */
const BATCH = 250;

/** One contestant, alone in its process: `amqplib.ts HOW URL`. */
const [how, url] = process.argv.slice(2) as [How, string];
const spans = registerSdk();
if (how === "theirs") {
  const { AmqplibInstrumentation } = await import("@opentelemetry/instrumentation-amqplib");
  new AmqplibInstrumentation();
}
// It sees what is required, once it is there.
const { connect } = createRequire(import.meta.url)("amqplib") as typeof Amqplib;

const broker = await connect(url);
const producer = await broker.createConfirmChannel();
const consumer = await broker.createConfirmChannel();
const queue = `bench-${process.pid}`;
const traces = tracesOf(how);
if (traces !== undefined) {
  const adapter = amqplib();
  for (const channel of [producer, consumer]) {
    instrument(channel, { adapter, queues: { [queue]: {} }, ...traces });
  }
}
await producer.assertQueue(queue, { autoDelete: true });
let left = 0;
let over = () => {};
await consumer.prefetch(100);
await consumer.consume(queue, async (message) => {
  consumer.ack(message!);
  if (--left === 0) over();
});

const body = Buffer.from(JSON.stringify({ id: 7 }));
serve(async (count) => {
  left = count;
  const done = new Promise<void>((resolve) => {
    over = resolve;
  });
  for (let i = 0; i < count; i += BATCH) {
    for (let each = i; each < Math.min(count, i + BATCH); each++) producer.sendToQueue(queue, body, {});
    await producer.waitForConfirms();
  }
  await done;
}, spans);
