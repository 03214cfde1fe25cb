import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { context, propagation } from "@opentelemetry/api";
import { afterEach, describe, expect, it } from "vitest";
import { withCorrelationId } from "../../../src/index.js";
import { Rig } from "../support/amqplib.js";
import { hasRabbitMQ } from "../support/rabbitmq.js";

describe.skipIf(!hasRabbitMQ())("two processes with amqplib", () => {
  const rig = new Rig();
  const children: ChildProcess[] = [];

  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  function consumer(what: "acknowledges" | "holds") {
    const script = "test/brokers/amqplib/consuming-process.ts";
    const child = spawn(process.execPath, ["--import", "tsx", script, rig.rabbit.url, rig.queue, what], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    return { child, next: async () => JSON.parse((await lines.next()).value) };
  }

  async function send(id: string): Promise<void> {
    const channel = await rig.channel();
    await channel.assertQueue(rig.queue);
    const baggage = propagation.createBaggage({ tenant: { value: "acme" } });
    context.with(propagation.setBaggage(context.active(), baggage), () =>
      withCorrelationId(id, () => channel.sendToQueue(rig.queue, Buffer.from("coffee"))),
    );
    await channel.waitForConfirms();
  }

  it("share a trace, baggage and the correlation ID of a message", async () => {
    await send("request 1");
    const { spanId } = (await rig.spans.only(`send ${rig.queue}`)).spanContext();
    const seen = await consumer("acknowledges").next();
    expect(seen).toEqual({ id: "request 1", tenant: "acme", linked: spanId, attempt: 1 });
  });

  it("one of which is killed with a message lose nothing: the other has it again, linked to its sending", async () => {
    await send("request 2");
    const { spanId } = (await rig.spans.only(`send ${rig.queue}`)).spanContext();
    const first = consumer("holds");
    expect(await first.next()).toEqual({ id: "request 2", tenant: "acme" });
    first.child.kill("SIGKILL");
    await once(first.child, "exit");
    const seen = await consumer("acknowledges").next();
    expect(seen).toEqual({ id: "request 2", tenant: "acme", linked: spanId, attempt: 2 });
  });
});
