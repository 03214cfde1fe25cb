import { trace } from "@opentelemetry/api";
import type { FlowJob, JobsOptions } from "bullmq";
import { BullMQOtel } from "bullmq-otel";
import { describe, expect, it } from "vitest";
import { currentCorrelationId, instrument } from "../../../src/index.js";
import { inRequest } from "../support/bullmq.js";
import { hasRedis } from "../support/redis.js";
import { only, type Rig, until, useRigs } from "./rig.js";

describe.skipIf(!hasRedis()).each([5, 6])("a producer of BullMQ %i", (major) => {
  let rig: Rig;

  useRigs(major, (each) => {
    rig = each;
  });

  /** The span of the send of that name, and the spans of handlers by the names of their jobs. */
  const links = async (count: number) =>
    (await rig.processed(count)).map(({ attributes, links }) => [
      attributes["bullmq.job.name"],
      attributes["messaging.message.conversation_id"],
      links.map(({ context }) => context.spanId),
    ]);

  it("sends a bulk in one span, to which each job is linked", async () => {
    const queue = rig.queue();
    await inRequest(7, () => queue.addBulk(["a", "b", "c"].map((name) => ({ name, data: {} }))));
    const sent = await rig.spans.only(`send ${rig.name}`);
    expect(sent.attributes["messaging.batch.message_count"]).toBe(3);
    rig.worker(async () => {});
    const to = [sent.spanContext().spanId];
    expect(await links(3)).toEqual(["a", "b", "c"].map((name) => [name, "request 7", to]));
    expect(await rig.number("queue.enqueued", { "queue.tier": "default" })).toBe(3);
  });

  it("counts a bulk by priority, in a span for each", async () => {
    const queue = rig.queue({}, { poll: false, tiers: { urgent: 1, later: 9 } });
    const job = (priority: number) => ({ name: "job", data: {}, opts: { priority } });
    await queue.addBulk([job(1), job(9), job(9)]);
    expect(await rig.spans.named(`send ${rig.name}`)).toHaveLength(2);
    expect(await rig.number("queue.enqueued", { "queue.tier": "urgent" })).toBe(1);
    expect(await rig.number("queue.enqueued", { "queue.tier": "later" })).toBe(2);
  });

  it("sends a flow whose nodes have no options: a span for each queue, to which its jobs are linked", async () => {
    const other = `${rig.name}-children`;
    const flows = rig.kept(new rig.bull.FlowProducer({ connection: rig.connection }));
    instrument(flows, {
      adapter: rig.adapter,
      poll: false,
      queues: { [rig.name]: {}, [other]: {} },
    });
    const flow: FlowJob = {
      name: "parent",
      queueName: rig.name,
      children: ["one", "two"].map((name) => ({ name, queueName: other })),
    };
    const before = structuredClone(flow);
    const tree = await inRequest(5, () => flows.add(flow));
    expect(flow).toEqual(before);
    expect(tree.children).toHaveLength(2);
    const sent = await rig.spans.only(`send ${rig.name}`);
    const sentOther = await rig.spans.only(`send ${other}`);
    expect(sentOther.attributes["messaging.batch.message_count"]).toBe(2);
    const processor = async () => {};
    rig.worker(processor);
    const children = rig.kept(new rig.bull.Worker(other, processor, { connection: rig.connection }));
    instrument(children, { adapter: rig.adapter, poll: false });
    expect(await links(1)).toEqual([["parent", "request 5", [sent.spanContext().spanId]]]);
    // How long it could have been taken is unknown: it has waited for its children.
    expect((await rig.processed(1))[0]!.attributes["queue.wait_ms"]).toBeUndefined();
    for (const { attributes, links } of await rig.processed(2, other)) {
      expect(attributes["messaging.message.conversation_id"]).toBe("request 5");
      expect(links.map(({ context }) => context.spanId)).toEqual([sentOther.spanContext().spanId]);
      expect(attributes["queue.wait_ms"]).toBeGreaterThanOrEqual(0);
    }
    expect(await rig.counts()).toEqual(only({ success: 1 }));
  });

  it("sends a bulk of flows", async () => {
    const flows = rig.kept(new rig.bull.FlowProducer({ connection: rig.connection }));
    instrument(flows, { adapter: rig.adapter, poll: false, queues: { [rig.name]: {} } });
    await flows.addBulk(["a", "b"].map((name) => ({ name, queueName: rig.name, children: [] })));
    const sent = await rig.spans.only(`send ${rig.name}`);
    expect(sent.attributes["messaging.batch.message_count"]).toBe(2);
    rig.worker(async () => {});
    await rig.processed(2);
    expect(await rig.counts()).toEqual(only({ success: 2 }));
  });

  it("schedules jobs: each tick has a trace and an ID of its own, and nothing is lost", async () => {
    const queue = rig.queue();
    const ids: (string | undefined)[] = [];
    const worker = rig.worker(async () => {
      ids.push(currentCorrelationId());
    });
    await inRequest(1, () => queue.upsertJobScheduler("each", { every: 60, limit: 3 }, { name: "tick" }));
    const spans = await rig.processed(3);
    await worker.close();
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(3);
    expect(spans.flatMap(({ links }) => links)).toEqual([]);
    expect(new Set(ids).size).toBe(3);
    expect(ids).not.toContain("request 1");
    expect(await rig.spans.named(`send ${rig.name}`)).toHaveLength(1);
    expect(await rig.counts()).toEqual(only({ success: 3 }));
  });

  it("can't tell that an add was deduplicated: four sends, two jobs", async () => {
    const queue = rig.queue();
    await queue.add("job", {}, { jobId: "one" });
    await queue.add("job", {}, { jobId: "one" });
    await queue.add("job", {}, { deduplication: { id: "two" } });
    await queue.add("job", {}, { deduplication: { id: "two" } });
    rig.worker(async () => {});
    await rig.processed(2);
    expect(await rig.spans.named(`send ${rig.name}`)).toHaveLength(4);
    expect(await queue.getJobCounts("waiting", "active")).toMatchObject({ waiting: 0, active: 0 });
    expect(await rig.counts()).toEqual(only({ success: 2 }));
  });

  it.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["null", "null"],
    ["nothing a propagator writes", JSON.stringify({ traceparent: ["00-1-2-3"], baggage: 7 })],
    [
      "a prototype",
      '{"__proto__":{"traceparent":"00-11111111111111111111111111111111-2222222222222222-01"}}',
    ],
    ["a megabyte", JSON.stringify({ baggage: "x".repeat(1_000_000) })],
  ])("that writes a hostile carrier, %s, costs the context, and nothing else", async (_, metadata) => {
    const bare = rig.queue({}, false);
    await bare.add("job", {}, { telemetry: { metadata } });
    rig.worker(async () => {});
    const [span] = await rig.processed(1);
    expect(span!.links).toEqual([]);
    expect(await rig.counts()).toMatchObject({ success: 1, errors: 0, inFlight: 0 });
  });

  it("leaves the user's options as they are, also frozen ones, and respects what they say of telemetry", async () => {
    const queue = rig.queue();
    const frozen: JobsOptions = Object.freeze({ priority: 3 });
    const own: JobsOptions = { telemetry: { metadata: "theirs" } };
    const without: JobsOptions = { telemetry: { omitContext: true } };
    const jobs = await Promise.all([frozen, own, without].map((options) => queue.add("job", {}, options)));
    expect([frozen, own, without]).toEqual([
      { priority: 3 },
      { telemetry: { metadata: "theirs" } },
      { telemetry: { omitContext: true } },
    ]);
    const stored = await Promise.all(jobs.map(async ({ id }) => (await queue.getJob(id!))!.opts.telemetry));
    expect(JSON.parse(stored[0]!.metadata!)).toHaveProperty("traceparent");
    expect(stored[1]!.metadata).toBe("theirs");
    expect(stored[2]).toEqual({ omitContext: true });
  });

  it.runIf(major === 6)("whose telemetry is bullmq-otel's makes one clean trace, with our ID", async () => {
    const queue = rig.queue({ telemetry: new BullMQOtel() });
    const ids: (string | undefined)[] = [];
    const active: (string | undefined)[] = [];
    rig.worker(
      async () => {
        ids.push(currentCorrelationId());
        active.push(trace.getActiveSpan()?.spanContext().spanId);
      },
      { telemetry: new BullMQOtel() },
    );
    await inRequest(3, () => queue.add("job", {}));
    await inRequest(4, () => queue.addBulk([{ name: "job", data: {} }]));
    await until(async () => (await rig.counts()).success === 2);
    expect(ids).toEqual(["request 3", "request 4"]);
    const theirs = await rig.processed(2);
    expect(active).toEqual(theirs.map((span) => span.spanContext().spanId));
    const added = await rig.spans.only(`add ${rig.name}.job`);
    expect(theirs[0]!.spanContext().traceId).toBe(added.spanContext().traceId);
    const names = (await rig.spans.spans()).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("send"))).toEqual([]);
    expect(await rig.counts()).toEqual(only({ success: 2 }));
  });

  it.runIf(major === 6)("of ours works with a worker of bullmq-otel's, and the other way round", async () => {
    const ids: (string | undefined)[] = [];
    const processor = async () => void ids.push(currentCorrelationId());
    const ours = rig.queue();
    const worker = rig.worker(processor, { telemetry: new BullMQOtel() });
    await inRequest(5, () => ours.add("job", {}));
    await until(() => ids.length === 1);
    const sent = await rig.spans.only(`send ${rig.name}`);
    const [theirs] = await rig.processed(1);
    expect(theirs!.spanContext().traceId).toBe(sent.spanContext().traceId);
    await worker.close();
    const queue = rig.queue({ telemetry: new BullMQOtel() });
    rig.worker(processor);
    await inRequest(6, () => queue.add("job", {}));
    await until(() => ids.length === 2);
    const added = await rig.spans.only(`add ${rig.name}.job`);
    const [, span] = await rig.processed(2);
    expect(span!.links.map(({ context }) => context.spanId)).toEqual([added.spanContext().spanId]);
    expect(ids).toEqual(["request 5", "request 6"]);
    expect(await rig.counts()).toEqual(only({ success: 2 }));
  });
});
