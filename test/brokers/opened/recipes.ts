import { connect } from "amqplib";
import type { BrokerAdapter } from "../../../src/adapter.js";
import { amqplib } from "../../../src/amqplib.js";
import { bullmq } from "../../../src/bullmq.js";
import { MAJORS } from "../support/bullmq.js";
import type { Recipe } from "./suite.js";

/** Locks last no longer than needed for a test, in milliseconds. */
const LOCK_MS = 1_000;

export function adapterOf(recipe: Recipe): BrokerAdapter {
  if (recipe.engine === "amqplib") return amqplib({ connect: () => connect(recipe.url) });
  const { major, port } = recipe;
  const adapter = bullmq({
    connection: { host: "127.0.0.1", port },
    classes: MAJORS[major]!,
    lockMs: LOCK_MS,
  });
  return adapter as BrokerAdapter;
}
