import { afterAll, beforeAll, describe, it } from "vitest";
import { brokerConformance } from "../../../src/testing.js";
import { hasRabbitMQ, RabbitServer } from "../support/rabbitmq.js";
import { RABBITMQ_KINDS } from "./rabbitmq-kinds.js";

const NOWHERE = { url: "", management: { url: "http://127.0.0.1", user: "", password: "" } };

describe.skipIf(!hasRabbitMQ())("the adapter of RabbitMQ", () => {
  let rabbit: RabbitServer;

  beforeAll(async () => {
    rabbit = await RabbitServer.start();
  });
  afterAll(() => rabbit.stop());

  describe.each(Object.entries(RABBITMQ_KINDS))("for %s", (_, kindOf) => {
    // Where the server listens is known when the cases run.
    it.each(brokerConformance(kindOf(NOWHERE)).map(({ name }) => name))("%s", async (name) => {
      await brokerConformance(kindOf(rabbit))
        .find((each) => each.name === name)!
        .run();
    });
  });
});
