import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wireStatement } from "../../src/waits/clients/wire.js";
import {
  mongoStatement,
  peerOf,
  redisStatement,
  sqlStatement,
  statementLabel,
} from "../../src/waits/statements.js";

describe("a statement of SQL", () => {
  it.each([
    ["SELECT 1", "SELECT ?"],
    ["select * from t where name = 'ann''s' and age > 40.5e3", "select * from t where name = ? and age > ?"],
    ["select * from t1 where id = $1 for update", "select * from t1 where id = $1 for update"],
    ['select "first name" from "t"', 'select "first name" from "t"'],
    ["select $$it's secret$$, $tag$ 'a' $tag$ from t", "select ? from t"],
    ["/* traceparent='00-abc' */ select 'x' -- it's me\nfrom t", "select ? from t"],
    ["insert into t values (1, 'a'), (2, 'b'), (3, null)", "insert into t values (?), (?, null)"],
    ["select * from t where id in (1,2,3)", "select * from t where id in (?)"],
    ["alter user ann password 'secret'", "alter user ann password ?"],
    ["select 'unfinished secret", "select ?"],
    ["select 'a\\' or 'secret'", "select ? …"],
    ["select E'it\\'s secret' from t", "select E? …"],
    ["  BEGIN\n", "BEGIN"],
  ])("of PostgreSQL, %s, is %s", (text, expected) => {
    expect(sqlStatement(text, "postgres")).toBe(expected);
  });

  it.each([
    [
      'select * from `t` where a = "secret" # it\'s me\n and b = 0xDEAD',
      "select * from `t` where a = ? and b = ?",
    ],
    ['select "it\\"s secret" from t', "select ? …"],
    ["set password for ann = 'secret'", "set password for ann = ?"],
  ])("of MySQL, %s, is %s", (text, expected) => {
    expect(sqlStatement(text, "mysql")).toBe(expected);
  });

  it("loses its midst where it is long", () => {
    const text = `SELECT ${Array.from({ length: 40 }, (_, i) => `column_${i}`).join(", ")} FROM t FOR UPDATE`;
    expect(sqlStatement(text, "postgres")).toBe("SELECT column_0, column_1, … FROM t FOR UPDATE");
    expect(sqlStatement(text.repeat(100), "postgres").length).toBeLessThan(70);
  });

  it("never shows what stands in quotes, whatever that is", () => {
    const secret = fc.string({
      unit: fc.constantFrom("S", "'", '"', "\\", "-", "/", "*", "$", "`", "#", "\n", " "),
    });
    const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
    const escaped = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
    fc.assert(
      fc.property(fc.array(secret, { maxLength: 5 }), (secrets) => {
        for (const [dialect, quote] of [
          ["postgres", quoted],
          ["mysql", escaped],
        ] as const) {
          const text = `select ${secrets.map(quote).join(", ")} from t`;
          expect(sqlStatement(text, dialect)).not.toContain("S");
        }
      }),
    );
  });
});

describe("a command to Redis", () => {
  it.each([
    ["GET", ["order:7"], "get order:7"],
    ["set", ["order:7", "secret"], "set order:7 ?"],
    ["blpop", ["jobs", "0"], "blpop jobs ?"],
    ["AUTH", ["secret"], "auth ?"],
    ["hello", ["3", "AUTH", "ann", "secret"], "hello ?"],
    ["eval", ["return 1", "1", "key", "secret"], "eval ?"],
    ["get", ["session:8f3b2c1d9e7a6f5b4c3d2e1f0a9b8c7d"], "get session::secret"],
    ["ping", [], "ping"],
  ])("%s %j is %s", (command, args, expected) => {
    expect(redisStatement(command, args)).toBe(expected);
  });
});

it("a command to MongoDB has a collection, and no user", () => {
  expect(mongoStatement("find", "orders")).toBe("find orders");
  expect(mongoStatement("createUser", "ann")).toBe("createUser");
  expect(mongoStatement("hello", undefined)).toBe("hello");
});

it("a label has a place for both ends of what is long", () => {
  const label = statementLabel("ioredis", "command", "x".repeat(60), `${"y".repeat(80)}:6379`);
  expect(label.length).toBeLessThanOrEqual(120);
  expect(label).toMatch(/y:6379$/);
  expect(peerOf("::1", 5432)).toBe("[::1]:5432");
  expect(peerOf("/run/pg", 5432)).toBe("/run/pg");
  expect(peerOf(undefined, 1)).toBeUndefined();
});

describe("what is written to a connection", () => {
  const of = (...parts: (string | number[])[]) =>
    Buffer.concat(parts.map((part) => Buffer.from(part as string))).toString("latin1");
  const told = (sent: string) => {
    const told = wireStatement(sent.slice(0, 600), sent.length);
    return told && `${told.client} ${told.what} ${told.statement}`;
  };

  it("is known by the form of its protocol", () => {
    expect(told(of("Q", [0, 0, 0, 23], "select 'geheim' é\0"))).toBe("postgres query select ? é");
    expect(told(of("P", [0, 0, 0, 18], "s1\0select 1\0", [0, 0]))).toBe("postgres query select ?");
    expect(told(of("B", [0, 0, 0, 12], "\0by-id\0", [0]))).toBe("postgres statement by-id");
    expect(told(of([9, 0, 0, 0, 3], "select 1"))).toBe("mysql query select ?");
    expect(told(of("*2\r\n$3\r\nGET\r\n$2\r\na1\r\n"))).toBe("redis command get a1");
    expect(told(of("*1\r\n$4\r\nPING\r\n"))).toBe("redis command ping");
    const find = of([2], "find\0", [7, 0, 0, 0], "orders\0");
    const head = of([60, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], [0xdd, 7, 0, 0], [0, 0, 0, 0], [0], [40, 0, 0, 0]);
    expect(told(head + find)).toBe("mongodb command find orders");
  });

  it("is not told where a client proves who it is, or the protocol is another one", () => {
    expect(told(of("p", [0, 0, 0, 11], "secret\0"))).toBeUndefined();
    expect(told(of([0, 0, 0, 20], [0, 3, 0, 0], "user\0secret\0"))).toBeUndefined();
    expect(told(of([7, 0, 0, 1], "secret!"))).toBeUndefined();
    expect(told(of("*3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n$6\r\nsecret\r\n"))).toBe("redis command auth ?");
    for (const text of ["", "GET / HTTP/1.1\r\n", "EHLO me\r\n", "\0\0\0\0\0\0\0"])
      expect(told(text)).toBeUndefined();
  });

  it("may be anything", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(100), (bytes, more) => {
        wireStatement(Buffer.from(bytes).toString("latin1"), bytes.length + more);
      }),
    );
  });
});
