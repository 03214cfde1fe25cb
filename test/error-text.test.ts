import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { errorLine, errorText, plainError } from "../src/base/error-text.js";

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

/** What throws whatever it is asked. */
const bomb = new Proxy(
  {},
  {
    get() {
      throw new Error("no");
    },
    getPrototypeOf() {
      throw new Error("no");
    },
  },
);

it("tells message and stack, and nothing else that an error has", () => {
  const error = Object.assign(new Error("refused"), {
    config: { headers: { Authorization: "Bearer secret" } },
    item: { card: "4111" },
  });
  const text = errorText(error);
  expect(text).toMatch(/^Error: refused\n {4}at .*error-text\.test/);
  expect(text).not.toMatch(/secret|4111|Authorization/);
});

it("lets no message forge a line, also one that looks like a stack", () => {
  const text = errorText(new Error("a\nb\n    at evil (/etc/passwd:1:1)\u001b[2J"));
  const [first, ...frames] = text.split("\n");
  expect(first).toBe("Error: a\\u000ab\\u000a    at evil (/etc/passwd:1:1)\\u001b[2J");
  for (const frame of frames) expect(frame).toMatch(/^ {4}at (?!evil)/);
});

it("tells causes and errors in errors, a few of them", () => {
  const ring: Error & { cause?: unknown } = new Error("ring");
  ring.cause = new Error("inner", { cause: ring });
  expect(errorText(ring).match(/caused by/g)).toHaveLength(1);
  let deep = new Error("0");
  for (let i = 1; i < 100; i++) deep = new Error(String(i), { cause: deep });
  expect(errorText(deep).match(/caused by/g)).toHaveLength(5);
  const many = new AggregateError(
    Array.from({ length: 10_000 }, (_, i) => new Error(`e${i}`)),
    "all",
  );
  expect(errorText(many)).toMatch(
    /with Error: e0\n {2}with Error: e1\n {2}with Error: e2\n {2}and 9997 more$/m,
  );
});

it("is short, whatever is thrown", () => {
  const huge = Object.assign(new Error("m".repeat(1e6)), { name: "n".repeat(1e6) });
  expect(errorLine(huge).length).toBeLessThanOrEqual(1_000);
  expect(errorText(huge).length).toBeLessThan(10_000);
  expect(errorLine("x".repeat(1e6)).length).toBe(1_000);
  expect(errorLine(10n ** 100_000n)).toBe("a huge bigint");
});

it.each([
  ["a proxy that was revoked", revoked(), "object"],
  ["what throws whatever it is asked", bomb, "object"],
  ["an object without a prototype", Object.create(null), "object"],
  [
    "an error whose message throws",
    Object.defineProperty(new Error("x"), "message", {
      get() {
        throw new Error("no");
      },
    }),
    "Error",
  ],
  ["an error whose message is no text", Object.assign(new Error("x"), { message: { a: 1 } }), "Error"],
  [
    "what can't be a text",
    {
      toString() {
        throw new Error("no");
      },
    },
    "object",
  ],
  ["a symbol", Symbol("a\nb"), "Symbol(a\\u000ab)"],
  ["nothing", undefined, "undefined"],
  ["null", null, "null"],
  ["a frozen error", Object.freeze(new TypeError("cold")), "TypeError: cold"],
  ["an error of another realm", runInNewContext("new RangeError('far')"), "RangeError: far"],
])("tells of %s what can be told", (_, thrown, expected) => {
  expect(errorLine(thrown)).toBe(expected);
  expect(errorText(thrown).split("\n")[0]).toBe(expected);
  expect(plainError(thrown)).toBeInstanceOf(Error);
});

it("gives loggers an error with name, message and stack only", () => {
  const plain = plainError(Object.assign(new TypeError("bad\n"), { secret: 1 }));
  expect(plain).toMatchObject({ name: "TypeError", message: "bad\\u000a" });
  expect(Object.keys(plain)).toEqual([]);
  expect(plain.stack).toMatch(/^TypeError: bad\\u000a\n {4}at /);
});
