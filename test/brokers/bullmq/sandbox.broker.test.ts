import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { sandboxed } from "../../../src/bullmq.js";
import { inRequest } from "../support/bullmq.js";
import { hasRedis } from "../support/redis.js";
import { only, type Rig, shown, until, useRigs } from "./rig.js";

const PROCESSOR = fileURLToPath(new URL("processor.mjs", import.meta.url));

it("a sandboxed processor has the arity that it had, and runs without a job's context, too", () => {
  const processor = sandboxed((_job: unknown, _token: unknown, _signal: unknown) => "done");
  expect(processor).toHaveLength(3);
  expect(processor({}, undefined, undefined)).toBe("done");
  expect(processor(undefined, undefined, undefined)).toBe("done");
  expect(() => sandboxed("file.mjs" as never)).toThrow(/processor/);
});

describe.skipIf(!hasRedis()).each([5, 6])("a sandboxed processor of BullMQ %i", (major) => {
  let rig: Rig;

  useRigs(major, (each) => {
    rig = each;
  });

  it.each([
    ["process", false],
    ["thread", true],
  ])(
    "in a %s runs in the context of its job, inside the span that its parent made",
    async (_, useWorkerThreads) => {
      const queue = rig.queue();
      const results: { pid: number; id: string; spanId: string; request: string }[] = [];
      const options = { useWorkerThreads, workerForkOptions: { execArgv: [] } };
      const worker = rig.worker(PROCESSOR, options);
      worker.on("completed", (_, result) => void results.push(result));
      await inRequest(1, () => queue.add("job", {}));
      await inRequest(2, () => queue.add("job", {}));
      await inRequest(3, () => queue.add("job", { fails: true }));
      await until(() => results.length === 2);
      const spans = await rig.processed(3);
      const spanOf = (id: string) =>
        spans.find(({ attributes }) => attributes["messaging.message.conversation_id"] === id)!;
      for (const { pid, id, spanId, request } of results) {
        expect(pid === process.pid).toBe(useWorkerThreads);
        expect(id).toBe(`request ${request}`);
        expect(spanId).toBe(spanOf(id).spanContext().spanId);
      }
      expect(results.map(({ id }) => id)).toEqual(["request 1", "request 2"]);
      expect(shown(spanOf("request 3"))).toMatchObject({ attempt: 1, isError: true });
      expect(await rig.counts()).toEqual(only({ success: 2, failure: 1 }));
      // In Redis, the job keeps the carrier of its producer.
      const sent = (await rig.spans.named(`send ${rig.name}`)).map((span) => span.spanContext().spanId);
      const jobs = await queue.getJobs(["completed"]);
      for (const { opts } of jobs) {
        const { traceparent } = JSON.parse(opts.telemetry!.metadata!) as { traceparent: string };
        expect(sent).toContain(traceparent.split("-")[2]);
      }
    },
  );

  it("gets an ID and a trace from its parent, where the producer gave none", async () => {
    const results: { id: string; spanId: string }[] = [];
    const worker = rig.worker(PROCESSOR, { workerForkOptions: { execArgv: [] } });
    worker.on("completed", (_, result) => void results.push(result));
    await rig.queue({}, false).add("job", {});
    await until(() => results.length === 1);
    const [span] = await rig.processed(1);
    expect(results[0]).toMatchObject({
      id: span!.attributes["messaging.message.conversation_id"],
      spanId: span!.spanContext().spanId,
    });
  });
});
