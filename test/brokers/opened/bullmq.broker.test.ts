import { describe } from "vitest";
import { hasRedis, RedisServer } from "../support/redis.js";
import { adapterOf } from "./recipes.js";
import { openedQueues, type Recipe } from "./suite.js";

describe.skipIf(!hasRedis()).each([5, 6])("BullMQ %i", (major) => {
  openedQueues({
    name: "BullMQ",
    hasPriorities: true,
    async start() {
      const redis = await RedisServer.start({ durable: true });
      const recipe: Recipe = { engine: "bullmq", major, port: redis.port };
      return {
        recipe,
        adapter: () => adapterOf(recipe),
        kill: () => redis.kill(),
        start: () => redis.start(),
        stop: () => redis.stop(),
      };
    },
  });
});
