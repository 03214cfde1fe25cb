import { connect } from "amqplib";
import { amqplib } from "../../../src/amqplib.js";
import { instrument } from "../../../src/index.js";
import { MetricCapture } from "../../support/telemetry-capture.js";

/** A process with an instrumented channel, which prints the queue's depth once the broker has told it, closes its connection, and ends by itself. */
const [url, management, queue] = process.argv.slice(2) as [string, string, string];
const metrics = new MetricCapture("producer");
const connection = await connect(url);
instrument(await connection.createChannel(), {
  adapter: amqplib({ connect: () => connect(url), management: JSON.parse(management) }),
  queues: { [queue]: {} },
  poll: { everyMs: 100 },
});
const depth = async () => (await metrics.collect()).points("queue.depth", { "queue.name": queue });
while ((await depth()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(JSON.stringify(await depth()));
await connection.close();
