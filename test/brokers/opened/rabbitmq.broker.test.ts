import { connect } from "amqplib";
import { describe } from "vitest";
import { hasRabbitMQ, RabbitServer } from "../support/rabbitmq.js";
import { adapterOf } from "./recipes.js";
import { openedQueues, type Recipe } from "./suite.js";

describe.skipIf(!hasRabbitMQ())("RabbitMQ", () => {
  openedQueues({
    name: "RabbitMQ",
    hasPriorities: false,
    async start() {
      const rabbit = await RabbitServer.start();
      const recipe: Recipe = { engine: "amqplib", url: rabbit.url };
      return {
        recipe,
        adapter: () => adapterOf(recipe),
        // RabbitMQ 3.10 forgets a quorum queue that was made less than three minutes before its node is killed.
        async makeDurable(queue) {
          const connection = await connect(rabbit.url);
          const channel = await connection.createChannel();
          await channel.assertQueue(queue, { durable: true });
          await connection.close();
        },
        kill: () => rabbit.kill(),
        start: () => rabbit.start(),
        stop: () => rabbit.stop(),
      };
    },
  });
});
