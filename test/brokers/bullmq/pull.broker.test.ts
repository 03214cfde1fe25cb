import type { Job } from "bullmq";
import { describe, expect, it } from "vitest";
import { handleJob } from "../../../src/bullmq.js";
import { currentCorrelationId } from "../../../src/index.js";
import { inRequest } from "../support/bullmq.js";
import { hasRedis } from "../support/redis.js";
import { only, type Rig, shown, useRigs } from "./rig.js";

const TOKEN = "token";

describe.skipIf(!hasRedis()).each([5, 6])("jobs that are taken by hand, of BullMQ %i", (major) => {
  let rig: Rig;

  useRigs(major, (each) => {
    rig = each;
  });

  it("are counted, have a wait, and a context inside handleJob(…), whose span ends when they are settled", async () => {
    const queue = rig.queue();
    const worker = rig.worker(null);
    expect(await worker.getNextJob(TOKEN, { block: false })).toBeUndefined();
    await inRequest(4, () => queue.add("job", {}));
    const job = (await worker.getNextJob(TOKEN)) as Job;
    expect(await rig.counts()).toEqual(only({ inFlight: 1 }));
    expect(await handleJob(job, async () => currentCorrelationId())).toBe("request 4");
    expect(await rig.spans.named(`process ${rig.name}`)).toEqual([]);
    await job.moveToCompleted("done", TOKEN, false);
    const [span] = await rig.processed(1);
    expect(shown(span!)).toEqual({ attempt: 1, isError: false, hasWait: true });
    expect(span!.links).toHaveLength(1);
    expect(await rig.counts()).toEqual(only({ success: 1 }));
    const collected = await rig.metrics.collect();
    expect(collected.histogram("queue.wait.seconds", { "queue.name": rig.name })?.count).toBe(1);
  });

  it("are retried, failed and put off", async () => {
    const queue = rig.queue();
    const worker = rig.worker(null);
    await queue.add("job", {}, { attempts: 2 });
    const take = async () => (await worker.getNextJob(TOKEN)) as Job;
    await (await take()).moveToDelayed(Date.now(), TOKEN);
    expect(await rig.counts()).toEqual(only({}));
    await (await take()).moveToFailed(new Error("once"), TOKEN, false);
    expect(await rig.counts()).toEqual(only({ retried: 1 }));
    await (await take()).moveToFailed(new Error("twice"), TOKEN, false);
    expect(await rig.counts()).toEqual(only({ retried: 1, failure: 1 }));
    expect(handleJob({}, () => "unknown")).toBe("unknown");
  });

  it("reject as before when they are settled by another's token, and that is stale", async () => {
    const queue = rig.queue();
    const worker = rig.worker(null);
    await queue.add("job", {});
    const job = (await worker.getNextJob(TOKEN)) as Job;
    await expect(job.moveToCompleted("done", "another", false)).rejects.toThrow(/lock mismatch/i);
    expect(await rig.counts()).toEqual(only({ stale: 1 }));
  });
});
