import { expect, it } from "vitest";
import { allowsHost } from "../../src/base/allowed-host.js";

it.each([
  "localhost",
  "LocalHost:9464",
  "127.0.0.1",
  "127.0.0.1:1",
  "[::1]:9464",
  "[::1]",
  "metrics.test:80",
  "localhost:",
])("a server on the loopback address is asked by the name %s", (authority) => {
  expect(allowsHost("metrics.test", "127.0.0.1")(authority)).toBe(true);
});

it.each([
  "",
  "evil.example",
  "evil.example:9464",
  "127.0.0.1.evil.example",
  "localhost.evil.example:9464",
  "localhost@evil.example",
  "localhost:9464@evil.example",
  "localhost:1:2",
  "evil.example#localhost",
  "localhost/",
  " localhost",
  "[::1].evil.example",
  "::1",
  "localhost,evil.example",
  "0.0.0.0",
  "10.0.0.1",
  "[::2]",
  "[",
  "localhost:http",
])("and not by the name %j", (authority) => {
  for (const bound of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.8.8"]) {
    expect(allowsHost("127.0.0.1", bound)(authority)).toBe(false);
  }
});

it("the address that it listens on is a name for it", () => {
  expect(allowsHost("127.0.0.9", "127.0.0.9")("127.0.0.9:9464")).toBe(true);
  expect(allowsHost("127.0.0.1", "127.0.0.1")("127.0.0.9:9464")).toBe(false);
});

it("a server that others can reach has names that only they know", () => {
  for (const bound of ["0.0.0.0", "::", "10.0.0.1"])
    expect(allowsHost(bound, bound)("shop.svc:9464")).toBe(true);
});
