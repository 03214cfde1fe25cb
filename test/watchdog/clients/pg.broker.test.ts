import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Waits } from "../../../src/waits/waits.js";
import { hasPostgres, PostgresServer } from "./postgres.js";
import { eventually, inWords, task } from "./rig.js";

describe.skipIf(!hasPostgres())("what a task waits for with pg", () => {
  let server: PostgresServer;
  let waits: Waits;
  /** Has a row locked, in a transaction. */
  let locker: pg.Client;
  let peer: string;
  const pools: pg.Pool[] = [];

  beforeAll(async () => {
    server = await PostgresServer.start();
    peer = `127.0.0.1:${server.port}`;
    locker = new pg.Client(server.options);
    await locker.connect();
    await locker.query("CREATE TABLE accounts (id int PRIMARY KEY, name text)");
    await locker.query("INSERT INTO accounts VALUES (1, 'ann'), (2, 'bob')");
  });
  afterAll(async () => {
    await locker?.end();
    await server?.stop();
  });
  beforeEach(async () => {
    waits = new Waits();
    waits.start();
    await locker.query("BEGIN");
    await locker.query("SELECT * FROM accounts FOR UPDATE");
  });
  afterEach(async () => {
    await locker.query("ROLLBACK");
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
    waits.stop();
  });

  function poolOf(max: number): pg.Pool {
    const pool = new pg.Pool({ ...server.options, max });
    pools.push(pool);
    return pool;
  }

  it("is the query, without its literals, over a connection that was open before", async () => {
    const pool = poolOf(2);
    await pool.query("SELECT 1");
    const { task: one, result } = await task(async () => {
      await pool.query("SELECT 2");
      return pool.query("SELECT id FROM accounts WHERE name = 'ann' -- of 4711\n FOR UPDATE");
    });
    const expected = `query: pg query "SELECT id FROM accounts WHERE name = ? FOR UPDATE" at ${peer}`;
    await eventually(() => expect(inWords(waits, one)).toEqual([expected]));
    await locker.query("ROLLBACK");
    expect((await result).rows).toEqual([{ id: 1 }]);
    expect(inWords(waits, one)).toEqual([]);
  });

  it("is a connection of a pool that has no more, and who has them; then its own query", async () => {
    const pool = poolOf(1);
    const lock = "SELECT 1 FROM accounts FOR UPDATE";
    const first = await task(() => pool.query(lock), "order-1");
    await eventually(() => expect(inWords(waits, first.task)).toEqual([expect.stringContaining("pg query")]));
    const second = await task(() => pool.query("SELECT 2 FROM accounts FOR UPDATE"), "order-2");
    const third = await task(async () => {
      const client = await pool.connect();
      try {
        return await client.query("SELECT 3 FROM accounts FOR UPDATE");
      } finally {
        client.release();
      }
    }, "order-3");
    const waiting = `connection: pg pool at ${peer}, waiting for a connection`;
    expect(inWords(waits, second.task)).toEqual([waiting]);
    expect(waits.of(third.task)[0]).toMatchObject({
      use: { inUse: 1, idle: 0, waiting: 2, limit: 1 },
      holders: [{ correlationId: "order-1" }],
    });
    await locker.query("ROLLBACK");
    await locker.query("BEGIN");
    await first.result;
    // The next one was given the connection in the context of the first.
    await second.result;
    await third.result;
    expect([first, second, third].flatMap((each) => inWords(waits, each.task))).toEqual([]);
  });

  it("is the query of the task that asked for it, though another one gave it the connection", async () => {
    const pool = poolOf(1);
    const client = await pool.connect();
    const second = await task(() => pool.query("SELECT 2 FROM accounts FOR UPDATE"), "order-2");
    const first = await task(async () => {
      client.release();
      await second.result;
    });
    await eventually(() =>
      expect(inWords(waits, second.task)).toEqual([
        `query: pg query "SELECT ? FROM accounts FOR UPDATE" at ${peer}`,
      ]),
    );
    expect(inWords(waits, first.task)).toEqual([]);
    await locker.query("ROLLBACK");
    await first.result;
  });

  it("is the line of a connection that several tasks share", async () => {
    const client = new pg.Client({ ...server.options, host: server.folder });
    await client.connect();
    const first = await task(() => client.query("SELECT id FROM accounts FOR UPDATE"));
    const second = await task(() =>
      client.query({ name: "by-id", text: "SELECT name FROM accounts WHERE id = $1", values: [1] }),
    );
    expect(inWords(waits, first.task)).toEqual([
      `query: pg query "SELECT id FROM accounts FOR UPDATE" at ${server.folder}`,
    ]);
    expect(inWords(waits, second.task)).toEqual([
      `query: pg query "SELECT name FROM accounts WHERE id = $1" at ${server.folder}, behind 1 others of its connection`,
    ]);
    await locker.query("ROLLBACK");
    await Promise.all([first.result, second.result]);
    await client.end();
  });

  it("leaves errors as they are, and nothing behind", async () => {
    const unhandled: unknown[] = [];
    const listener = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listener);
    const pool = poolOf(1);
    const held = await pool.connect();
    const late = poolOf(1);
    const taken = await late.connect();
    // Not before it is connected, which may take longer.
    late.options.connectionTimeoutMillis = 20;
    const { task: one, result } = await task(async () => {
      await expect(held.query("SELECT nothing")).rejects.toThrow(/column "nothing" does not exist/);
      await expect(late.query("SELECT 1")).rejects.toThrow(/timeout exceeded/);
      for (let i = 0; i < 50; i++) await held.query("SELECT $1::int", [i]);
      held.query("SELECT unheard");
      await held.query("SELECT 1");
    });
    await result;
    expect(inWords(waits, one)).toEqual([]);
    await eventually(() => expect(unhandled).toHaveLength(1));
    process.off("unhandledRejection", listener);
    held.release();
    taken.release();
  });

  it("is watched only while there is a watchdog", () => {
    const patched = [pg.Client.prototype.query, pg.Pool.prototype.connect];
    waits.stop();
    expect(pg.Client.prototype.query).not.toBe(patched[0]);
    expect(pg.Pool.prototype.connect).not.toBe(patched[1]);
  });
});
