// The queues you have: p-queue, fastq and async are recognised as they are. p-queue's tasks are closures, so one call is enough;
// fastq and async get their worker at construction, and `instrumentHandler` lets it run in the context of each item's own put.
import { setTimeout as sleep } from "node:timers/promises";
import async from "async";
import fastq from "fastq";
import PQueue from "p-queue";
import {
  currentCorrelationId,
  instrument,
  instrumentHandler,
  metricProducer,
  withCorrelationId,
} from "queuescope";

const producer = metricProducer();

const thumbnails = instrument(new PQueue({ concurrency: 1 }), { name: "thumbnails", tiers: { urgent: 1 } });

const resize = async (picture: string) => {
  await sleep(10);
  return `${picture} resized for ${currentCorrelationId()}`;
};
const pictures = instrument(fastq.promise(instrumentHandler(resize, { name: "pictures" }), 2), {
  name: "pictures",
});

const send = async (mail: string) => `${mail} sent for ${currentCorrelationId()}`;
const mails = instrument(async.priorityQueue<string, string>(instrumentHandler(send, { name: "mails" }), 1), {
  name: "mails",
  sla: { default: { targetMs: 1_000 } },
});

/** What a request does: three queues, one correlation ID, and every task knows it. */
async function request(priority: number): Promise<unknown[]> {
  return Promise.all([
    thumbnails.add(async () => `thumbnail made for ${currentCorrelationId()}`, { priority }),
    pictures.push("picture"),
    mails.push("mail", priority),
  ]);
}

const users = ["ann", "bob", "cem"];
const answers = await Promise.all(
  users.map((user, i) => withCorrelationId(`request-of-${user}`, () => request(i % 2))),
);
for (const line of answers.flat()) console.log(line);

console.log("\nqueue       tier     put  taken  within SLA");
const { resourceMetrics } = await producer.collect();
const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
const points = (name: string) => metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
for (const { attributes, value } of points("queue.enqueued")) {
  const { "queue.name": queue, "queue.tier": tier } = attributes;
  const same = (name: string) =>
    points(name).find(
      (point) => point.attributes["queue.name"] === queue && point.attributes["queue.tier"] === tier,
    );
  const [taken, met] = [same("queue.dequeued")?.value, same("queue.sla.items")?.value ?? "-"];
  console.log(`${String(queue).padEnd(10)}  ${String(tier).padEnd(7)}  ${value}    ${taken}      ${met}`);
}
