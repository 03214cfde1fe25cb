import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { brokerConformance } from "../../../src/testing.js";
import { hasRedis, RedisServer } from "../support/redis.js";
import { bullmqKind } from "./bullmq.js";

describe.skipIf(!hasRedis()).each([5, 6])("the adapter of BullMQ %i", (major) => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.stop());

  // Where the server listens is known when the cases run.
  const names = brokerConformance(bullmqKind(major, 0)).map(({ name }) => name);
  const cases = () => brokerConformance(bullmqKind(major, redis.port));

  it.each(names)("%s", async (name) => {
    await cases()
      .find((each) => each.name === name)!
      .run();
  });

  it("is what the other process has, too: one that loses the carrier there fails", async () => {
    const kind = bullmqKind(major, redis.port);
    const { script, args, execArgv } = kind.otherProcess!;
    const other = { script, args: [...args!, "loses-the-carrier"], execArgv: execArgv! };
    const { run } = brokerConformance({ ...kind, otherProcess: other }).find(({ name }) =>
      name.includes("come from another process"),
    )!;
    await expect(run()).rejects.toThrow("process spans with the ID of request 0");
  });
});
