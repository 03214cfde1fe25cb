import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Rig } from "../support/amqplib.js";
import { hasRabbitMQ } from "../support/rabbitmq.js";

const run = promisify(execFile);

describe.skipIf(!hasRabbitMQ())("with the instrumentation of OpenTelemetry's contrib", () => {
  const rig = new Rig();

  async function message(...how: string[]) {
    const script = "test/brokers/amqplib/contrib-process.ts";
    const args = ["--import", "tsx", script, rig.rabbit.url, rig.queue, ...how];
    const { stdout } = await run(process.execPath, args);
    return JSON.parse(stdout);
  }

  it.each([
    ["confirms", "after"],
    ["confirms", "before"],
    ["none", "after"],
    ["none", "before"],
  ])(
    "there is exactly one trace, its own, with our numbers and IDs: %s, ours %s it",
    async (confirms, order) => {
      const seen = await message(confirms, order, "both");
      const names = seen.spans.map(({ name }: { name: string }) => name).sort();
      expect(names).toEqual([`${rig.queue} process`, "publish <default>", "request"].sort());
      expect(new Set(seen.spans.map(({ traceId }: { traceId: string }) => traceId))).toEqual(
        new Set([seen.traceId]),
      );
      expect(seen).toMatchObject({ id: "request 1", headers: { shop: "Oslo" }, enqueued: 1, completed: 1 });
    },
  );

  it("the correlation ID of what a channel has sent that isn't ours is that of the trace", async () => {
    const seen = await message("confirms", "after", "consumer");
    expect(seen.id).toBe(seen.traceId);
    expect(seen.spans).toHaveLength(3);
  });
});
