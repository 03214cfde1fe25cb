import { serveBroker } from "../../../src/testing.js";
import type { Broker } from "./amqplib.js";
import { RABBITMQ_KINDS } from "./rabbitmq-kinds.js";

/** The other process of the suite: `rabbitmq-process.ts CLIENT BROKER`, which is JSON. */
const [client, broker] = process.argv.slice(2) as [keyof typeof RABBITMQ_KINDS, string];
serveBroker(RABBITMQ_KINDS[client](JSON.parse(broker) as Broker));
