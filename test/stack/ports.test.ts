import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { readOptions } from "../../scripts/stack/options.js";
import { choosePort } from "../../scripts/stack/ports.js";

it("A port that is taken is replaced by a free one, unless it was asked for", async () => {
  const port = await takenPort();
  const other = await choosePort({ port, exact: false });
  expect(other).toBeGreaterThan(0);
  expect(other).not.toBe(port);
  await expect(choosePort({ port, exact: true })).rejects.toThrow(`Port ${port} is taken`);
});

it("What is asked for on the command line is exact, and nothing else is", () => {
  const options = readOptions(["--port", "7", "--seconds", "3"]);
  expect(options).toMatchObject({
    ports: { port: { port: 7, exact: true }, "metrics-port": { port: 9464, exact: false } },
    seconds: 3,
  });
});

it.for([
  ["--port", "x"],
  ["--port", ""],
  ["--metrics-port", "65536"],
  ["--seconds", "0"],
])("%s %s is refused, by name", ([name, value]) => {
  expect(() => readOptions([name!, value!])).toThrow(`${name} must be a whole number`);
});

async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
