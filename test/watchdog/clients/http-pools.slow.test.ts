import { once } from "node:events";
import http, { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createPool } from "generic-pool";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Waits } from "../../../src/waits/waits.js";
import { eventually, inWords, task } from "./rig.js";

const NODE = Number(process.versions.node.split(".")[0]);

let waits: Waits;
let server: Server;
let origin: string;
const held: ServerResponse[] = [];

beforeEach(async () => {
  waits = new Waits();
  waits.start();
  server = createServer((_, response) => held.push(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  waits.stop();
  held.length = 0;
  server.closeAllConnections();
  server.close();
});

const answered = () => eventually(() => expect(held.pop()?.end("done")).toBeDefined());

it.skipIf(NODE < 22)(
  "an http.Agent with no more sockets tells how many it has, and which task has them",
  async () => {
    const agent = new http.Agent({ maxSockets: 1 });
    const get = () =>
      new Promise((resolve) => {
        http.get(origin, { agent }, (response) => response.on("end", resolve).resume());
      });
    const first = await task(get, "order-1");
    const second = await task(get, "order-2");
    await eventually(() =>
      expect(waits.of(second.task)).toMatchObject([
        { use: { inUse: 1, idle: 0, waiting: 1, limit: 1 }, holders: [{ correlationId: "order-1" }] },
      ]),
    );
    expect(waits.of(first.task)[0]).toMatchObject({ use: undefined, holders: undefined });
    await answered();
    await first.result;
    await answered();
    await second.result;
    agent.destroy();
  },
);

it("an undici Agent with no more connections tells which task has them", async () => {
  const { Agent, request } = await import("undici");
  const dispatcher = new Agent({ connections: 1, pipelining: 1 });
  const get = async () => (await request(origin, { dispatcher })).body.text();
  const first = await task(get, "order-1");
  await eventually(() => expect(inWords(waits, first.task)[0]).toMatch(/sent, waiting for headers$/));
  const second = await task(get, "order-2");
  expect(waits.of(second.task)).toMatchObject([
    {
      state: "waiting for a connection",
      use: { inUse: 1, waiting: 1 },
      holders: [{ correlationId: "order-1" }],
    },
  ]);
  await answered();
  expect(await first.result).toBe("done");
  await answered();
  await second.result;
  await eventually(() => expect([...waits.of(first.task), ...waits.of(second.task)]).toEqual([]));
  await dispatcher.close();
});

it("a generic-pool tells how many it has, which task has them, and fails as ever", async () => {
  const made = { create: async () => ({}), destroy: async () => {} };
  const pool = createPool(made, { max: 1, acquireTimeoutMillis: 2_000 });
  const first = await task(() => pool.acquire(), "order-1");
  const taken = await first.result;
  const second = await task(() => pool.acquire(), "order-2");
  expect(waits.of(second.task)).toMatchObject([
    {
      kind: "connection",
      label: "generic-pool",
      use: { inUse: 1, waiting: 1, limit: 1 },
      holders: [{ correlationId: "order-1" }],
    },
  ]);
  await expect(second.result).rejects.toThrow(/timed out/);
  expect(waits.of(second.task)).toEqual([]);
  await pool.release(taken);
  await pool.drain();
});
