import { bullmq } from "../../../src/bullmq.js";
import { instrument } from "../../../src/index.js";
import { usePropagators } from "../../support/propagators.js";
import { SpanCapture } from "../../support/telemetry-capture.js";
import { inRequest, MAJORS } from "../support/bullmq.js";
import { serve } from "./child.js";

/** The other process of the tests: it produces, or works until it is killed. */
usePropagators();
const spans = new SpanCapture();
const adapter = bullmq();

interface Redis {
  readonly host: string;
  readonly port: number;
}

const actions = {
  /** Adds a job in each of so many requests, and gives the IDs of the spans by request. */
  async produce(
    major: number,
    name: string,
    connection: Redis,
    count: number,
    options: object,
    clockAheadMs = 0,
  ): Promise<Record<string, string>> {
    const { now } = Date;
    Date.now = () => now() + clockAheadMs;
    const queue = instrument(new MAJORS[major]!.Queue(name, { connection }), { adapter, poll: false });
    await Promise.all(
      Array.from({ length: count }, (_, i) => inRequest(i, () => queue.add("job", { i }, options))),
    );
    await queue.close();
    Date.now = now;
    const sent = await spans.named(`send ${name}`);
    return Object.fromEntries(
      sent.map((span) => [
        span.attributes["messaging.message.conversation_id"] as string,
        span.spanContext().spanId,
      ]),
    );
  },

  /** Takes one job and never ends it. Resolves when it has it. */
  async hang(major: number, name: string, connection: Redis, lockDuration: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const worker = new MAJORS[major]!.Worker(
        name,
        () => {
          resolve();
          return new Promise(() => {});
        },
        { connection, lockDuration, stalledInterval: lockDuration },
      );
      instrument(worker, { adapter, poll: false });
    });
  },
};

export type Actions = typeof actions;

serve(actions);
