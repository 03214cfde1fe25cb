import type { Job } from "bullmq";
import { describe, expect, it } from "vitest";
import { hasRedis } from "../support/redis.js";
import { only, type Rig, shown, startChild, until, useRigs } from "./rig.js";

describe.skipIf(!hasRedis()).each([5, 6])("a worker of BullMQ %i", (major) => {
  let rig: Rig;

  useRigs(major, (each) => {
    rig = each;
  });

  it.each([
    ["at once", 0],
    ["after a fixed backoff", { type: "fixed", delay: 60 }],
    ["after an exponential backoff", { type: "exponential", delay: 40 }],
  ])("retries %s: each attempt has a span, and only the first a wait", async (_, backoff) => {
    await rig.queue().add("job", {}, { attempts: 3, backoff });
    rig.worker(async ({ attemptsMade }) => {
      if (attemptsMade < 2) throw new RangeError("not yet");
    });
    expect((await rig.processed(3)).map(shown)).toEqual([
      { attempt: 1, error: "RangeError", isError: true, hasWait: true },
      { attempt: 2, error: "RangeError", isError: true, hasWait: false },
      { attempt: 3, isError: false, hasWait: false },
    ]);
    expect(await rig.counts()).toEqual(only({ success: 1, retried: 2 }));
    expect(await rig.number("queue.redelivered")).toBe(2);
  });

  it("fails a job for good after its last attempt, and at an UnrecoverableError", async () => {
    const queue = rig.queue();
    await queue.add("tried", {}, { attempts: 2 });
    await queue.add("given up", {}, { attempts: 5 });
    rig.worker(async ({ name }) => {
      if (name === "given up") throw new rig.bull.UnrecoverableError("it never works");
      throw new Error("it fails again");
    });
    const spans = (await rig.processed(3)).map((span) => ({
      job: span.attributes["bullmq.job.name"],
      attempt: span.attributes["queue.attempt"],
      error: span.attributes["error.type"],
      isError: span.status.code === 2,
    }));
    expect(spans).toHaveLength(3);
    expect(spans).toEqual(
      expect.arrayContaining([
        { job: "tried", attempt: 1, error: "Error", isError: true },
        { job: "tried", attempt: 2, error: "Error", isError: true },
        { job: "given up", attempt: 1, error: "UnrecoverableError", isError: true },
      ]),
    );
    expect(await rig.counts()).toEqual(only({ failure: 2, retried: 1 }));
  });

  it("puts a job off by DelayedError, which is no failure", async () => {
    await rig.queue().add("job", {});
    rig.worker(async (job, token) => {
      if (job.attemptsStarted > 1) return;
      await job.moveToDelayed(Date.now() + 50, token);
      throw new rig.bull.DelayedError();
    });
    expect((await rig.processed(2)).map(shown)).toEqual([
      { attempt: 1, outcome: "moved", isError: false, hasWait: true },
      { attempt: 2, isError: false, hasWait: false },
    ]);
    expect(await rig.counts()).toEqual(only({ success: 1 }));
  });

  it("puts a job back by RateLimitError, which is no failure", async () => {
    const queue = rig.queue();
    await queue.add("job", {});
    rig.worker(
      async (job) => {
        if (job.attemptsStarted > 1) return;
        await queue.rateLimit(50);
        throw rig.bull.Worker.RateLimitError();
      },
      { limiter: { max: 100, duration: 50 } },
    );
    expect((await rig.processed(2)).map(shown)).toEqual([
      { attempt: 1, outcome: "moved", isError: false, hasWait: true },
      { attempt: 2, isError: false, hasWait: false },
    ]);
    expect(await rig.counts()).toEqual(only({ success: 1 }));
  });

  it("has a job wait for a child by WaitingChildrenError, which is no failure", async () => {
    const queue = rig.queue();
    await queue.add("parent", {});
    rig.worker(async (job: Job, token) => {
      if (job.name === "child" || job.attemptsStarted > 1) return;
      const parent = { id: job.id!, queue: job.queueQualifiedName };
      await queue.add("child", {}, { parent });
      if (await job.moveToWaitingChildren(token!)) throw new rig.bull.WaitingChildrenError();
    });
    const spans = (await rig.processed(3)).map((span) => [span.attributes["bullmq.job.name"], shown(span)]);
    expect(spans).toEqual([
      ["parent", { attempt: 1, outcome: "moved", isError: false, hasWait: true }],
      ["child", { attempt: 1, isError: false, hasWait: true }],
      ["parent", { attempt: 2, isError: false, hasWait: false }],
    ]);
    expect(await rig.counts()).toEqual(only({ success: 2 }));
  });

  it("loses a lock: the span is an error, the settling is stale, and the job comes again", async () => {
    const queue = rig.queue();
    const { id } = await queue.add("job", {});
    const raw = rig.queue({}, false);
    rig.worker(
      async (job) => {
        if (job.attemptsStarted > 1) return;
        const key = `${raw.toKey(id!)}:lock`;
        const client = await (raw as unknown as { client: Promise<{ del(key: string): Promise<void> }> })
          .client;
        if (major === 5) await client.del(key);
        else
          await (
            await (raw.getBackend() as unknown as { client: Promise<{ del(key: string): Promise<void> }> })
              .client
          ).del(key);
      },
      { skipLockRenewal: true, stalledInterval: 200 },
    );
    expect((await rig.processed(2)).map(shown)).toEqual([
      { attempt: 1, error: "lock_lost", isError: true, hasWait: true },
      { attempt: 2, isError: false, hasWait: false },
    ]);
    expect(await rig.counts()).toEqual(only({ success: 1, stale: 1 }));
    expect(rig.errors.map(({ message }) => message).join()).toMatch(/missing lock/i);
  });

  it("fails a job that was stalled too often: there is a span, though its handler is never called", async () => {
    const child = startChild();
    const sent = await child.ask("produce", major, rig.name, rig.connection, 1, {});
    await child.ask("hang", major, rig.name, rig.connection, 300);
    await child.kill();
    let calls = 0;
    rig.worker(
      async () => {
        calls++;
      },
      { stalledInterval: 200, maxStalledCount: 0 },
    );
    const [span] = await rig.processed(1);
    expect(shown(span!)).toMatchObject({ attempt: 2, isError: true, hasWait: false });
    expect(span!.status.message).toMatch(/stalled more than allowable limit/);
    expect(span!.links.map(({ context }) => context.spanId)).toEqual([sent["request 0"]]);
    expect(calls).toBe(0);
    expect(await rig.counts()).toEqual(only({ failure: 1 }));
  });

  it("that is closed ends its job first; one that is closed by force gives it up", async () => {
    const queue = rig.queue();
    await queue.add("job", {});
    let release = () => {};
    let began = false;
    const processor = () =>
      new Promise<void>((resolve) => {
        began = true;
        release = resolve;
      });
    const polite = rig.worker(processor);
    await until(() => began);
    const closed = polite.close();
    release();
    await closed;
    expect(await rig.counts()).toEqual(only({ success: 1 }));

    began = false;
    await queue.add("job", {});
    const hasty = rig.worker(processor);
    await until(() => began);
    await hasty.close(true);
    expect(await rig.counts()).toEqual(only({ success: 1, inFlight: 1 }));
    release();
    const spans = await rig.processed(2);
    expect(shown(spans[1]!)).toEqual({ attempt: 1, error: "abandoned", isError: true, hasWait: true });
    expect(await rig.counts()).toEqual(only({ success: 1 }));
  });

  it("that is paused takes nothing, and goes on where it was", async () => {
    const queue = rig.queue();
    const worker = rig.worker(async () => {});
    await worker.waitUntilReady();
    await worker.pause();
    await queue.add("job", {});
    expect(await rig.counts()).toEqual(only({}));
    await worker.resume();
    await rig.processed(1);
    expect(await rig.counts()).toEqual(only({ success: 1 }));
  });
});
