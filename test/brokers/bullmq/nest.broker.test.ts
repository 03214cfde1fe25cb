import { describe, expect, it } from "vitest";
import { instrumentNest } from "../../../src/bullmq.js";
import { currentCorrelationId } from "../../../src/index.js";
import { inRequest } from "../support/bullmq.js";
import { hasRedis } from "../support/redis.js";
import { only, type Rig, useRigs } from "./rig.js";

describe.skipIf(!hasRedis()).each([5, 6])("the classes that Nest's module gets, of BullMQ %i,", (major) => {
  let rig: Rig;

  useRigs(major, (each) => {
    rig = each;
  });

  it("make instrumented queues, workers and flow producers", async () => {
    const asked: (string | undefined)[] = [];
    const module = {} as {
      queueClass: typeof rig.bull.Queue;
      workerClass: typeof rig.bull.Worker;
      flowProducerClass: typeof rig.bull.FlowProducer;
    };
    instrumentNest(module, rig.bull, (queue) => {
      asked.push(queue);
      return queue === undefined ? { poll: false, queues: { [rig.name]: {} } } : { poll: false };
    });
    const { connection } = rig;
    const queue = rig.kept(new module.queueClass(rig.name, { connection }));
    const flows = rig.kept(new module.flowProducerClass({ connection }));
    const ids: (string | undefined)[] = [];
    rig.kept(
      new module.workerClass(rig.name, async () => void ids.push(currentCorrelationId()), { connection }),
    );
    expect(asked).toEqual([rig.name, undefined, rig.name]);
    expect(queue).toBeInstanceOf(rig.bull.Queue);
    expect(module.queueClass.name).toBe("Queue");
    await inRequest(1, () => queue.add("job", {}));
    await rig.processed(1);
    await inRequest(2, () => flows.add({ name: "job", queueName: rig.name }));
    await rig.processed(2);
    expect(ids).toEqual(["request 1", "request 2"]);
    expect(await rig.counts()).toEqual(only({ success: 2 }));
    expect(await rig.number("queue.enqueued", { "queue.tier": "default" })).toBe(2);
  });

  it("refuse what gives no options", () => {
    expect(() => instrumentNest({}, rig.bull, {} as never)).toThrow(/optionsOf/);
  });
});
