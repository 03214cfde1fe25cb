import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { bullmq } from "../../../src/bullmq.js";
import {
  InvalidOptionRangeError,
  InvalidOptionTypeError,
  instrument,
  NotInstrumentableError,
} from "../../../src/index.js";

it.each([
  ["an unknown option", { conection: {} }, /conection is not an option; did you mean connection\?/],
  ["a connection that is a URL", { connection: "redis://127.0.0.1" }, /connection.*a client of ioredis/],
  ["a client of another kind", { connection: new EventEmitter() }, /connection.*a client of ioredis/],
  ["classes that are none", { classes: { Queue: class {} } }, /classes/],
  ["no object", 7, /options/],
])("bullmq(…) refuses %s", (_, options, message) => {
  const call = () => bullmq(options as never);
  expect(call).toThrow(InvalidOptionTypeError);
  expect(call).toThrow(message);
});

it("bullmq(…) refuses a lock that is over at once", () => {
  expect(() => bullmq({ lockMs: 10 })).toThrow(InvalidOptionRangeError);
});

it.each([
  ["an object", {}],
  ["an emitter", new EventEmitter()],
  ["a queue of another kind", { name: "jobs", add() {}, addAll() {} }],
])("bullmq() instruments no %s", (_, client) => {
  const call = () => instrument<object, object>(client, { adapter: bullmq() });
  expect(call).toThrow(NotInstrumentableError);
  expect(call).toThrow(/Queue, Worker or FlowProducer of BullMQ/);
});
