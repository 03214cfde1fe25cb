import { EventEmitter } from "node:events";
import { Writable } from "node:stream";
import { afterEach, expect, it, vi } from "vitest";
import { print } from "../src/base/output.js";
import { warnThat } from "../src/base/warning.js";

const real = Object.getOwnPropertyDescriptor(process, "stderr")!;
const stderr = (value: unknown) => Object.defineProperty(process, "stderr", { value, configurable: true });
afterEach(() => {
  Object.defineProperty(process, "stderr", real);
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

it("writes a line", async () => {
  const lines: string[] = [];
  stderr(
    new Writable({
      write(chunk, _, done) {
        lines.push(String(chunk));
        done();
      },
    }),
  );
  print("hello");
  await turn();
  expect(lines).toEqual(["hello\n"]);
});

it.each([
  [
    "throws",
    {
      write: () => {
        throw new Error("no");
      },
    },
  ],
  ["has no write", {}],
  ["isn't there", undefined],
])("contains a stderr that %s", (_, stream) => {
  stderr(stream);
  expect(() => print("hello")).not.toThrow();
});

it("contains the error of a stream that fails, and listens no longer than for that", async () => {
  const stream = new Writable({
    autoDestroy: false,
    write: (_chunk, _encoding, done) => setImmediate(done, new Error("EPIPE")),
  });
  stderr(stream);
  print("one");
  print("two");
  expect(stream.listenerCount("error")).toBe(1);
  await vi.waitFor(() => expect(stream.listenerCount("error")).toBe(0));
});

it("leaves errors of others' writes to those who would have got them", async () => {
  const fails = new Error("theirs");
  const stream = new EventEmitter() as EventEmitter & { write: unknown };
  let done: (error?: unknown) => void = () => {};
  Object.setPrototypeOf(
    stream,
    Object.assign(Object.create(EventEmitter.prototype), {
      write: (_: string, over: () => void) => {
        done = over;
      },
    }),
  );
  stderr(stream);
  print("ours");
  // Ours has failed, theirs fails now: only we listen.
  done(new Error("ours"));
  expect(() => stream.emit("error", fails)).toThrow(fails);
  const heard: unknown[] = [];
  stream.on("error", (error) => heard.push(error));
  stream.emit("error", fails);
  expect(heard).toEqual([fails]);
});

it("warns all who listen, and contains what one of them throws", async () => {
  const heard: string[] = [];
  const listen = (warning: Error) => {
    heard.push(`${warning.name}: ${warning.message}`);
    throw new Error("a listener of the user's");
  };
  const others = process.listeners("warning");
  process.removeAllListeners("warning").on("warning", listen);
  warnThat("mind the gap");
  await turn();
  process.off("warning", listen);
  for (const other of others) process.on("warning", other);
  expect(heard).toEqual(["QueuescopeWarning: mind the gap"]);
});

it("contains what a foreign emitWarning throws", () => {
  const spy = vi.spyOn(process, "emitWarning").mockImplementation(() => {
    throw new Error("no warnings here");
  });
  expect(() => warnThat("mind the gap")).not.toThrow();
  spy.mockRestore();
});
