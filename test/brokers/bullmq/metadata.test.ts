import { expect, it } from "vitest";
import { withCarrier } from "../../../src/brokers/bullmq/metadata.js";

const sending = (carrier: Readonly<Record<string, string>>) => ({
  carrier,
  run: <R>(fn: () => R) => fn(),
  done() {},
  leftOut() {},
});
const at = { "queuescope-sent-at": "1790000000000" };
const traced = { ...at, traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };

it("a job takes along what there is of its producer's context", () => {
  const sent = withCarrier({ priority: 1 } as object, undefined, sending(traced));
  expect(sent).toEqual({ priority: 1, telemetry: { metadata: JSON.stringify(traced) } });
});

it("a job whose producer has none carries nothing, and says so: BullMQ itself keeps when it was added", () => {
  expect(withCarrier(undefined, undefined, sending(at))).toEqual({ telemetry: { omitContext: true } });
});

it("a parent of other jobs is marked, with or without a context", () => {
  const marked = JSON.stringify({ ...at, "queuescope-flow-parent": "1" });
  expect(withCarrier(undefined, undefined, sending(at), true)).toEqual({ telemetry: { metadata: marked } });
});

it("what the user has put there stays, in the job's options and in the queue's", () => {
  for (const telemetry of [{ metadata: "theirs" }, { omitContext: true }]) {
    const options = { telemetry };
    expect(withCarrier(options, undefined, sending(traced))).toBe(options);
    expect(withCarrier(undefined, options, sending(traced))).toBeUndefined();
  }
});
