import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Differ } from "../../src/inspector/local/changes.js";
import { readHandlerOptions, readInspectOptions, readServeOptions } from "../../src/inspector/options.js";
import type { ProcessRow, QueueRow } from "../../src/inspector/protocol.js";
import { EventParser } from "../../src/inspector/remote/client.js";
import { ProcessState } from "../../src/inspector/remote/process-state.js";
import { roomIn } from "../../src/inspector/sockets/folders.js";
import { idInName, socketName } from "../../src/inspector/sockets/names.js";
import { findProcess, onlyOne } from "../../src/inspector/view.js";

const PROCESS = { id: "7-a", pid: 7, name: "shop" } as ProcessRow;

describe("changes", () => {
  const member = fc.option(fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer(), { maxLength: 3 })), {
    nil: undefined,
  });
  const row = fc.record({
    name: fc.constantFrom("a", "b", "c"),
    depth: member,
    reasons: member,
    why: member,
  });
  const look = fc.uniqueArray(row, { selector: ({ name }) => name, maxLength: 3 });

  it("applied one after the other are what each look has seen", () => {
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 8 }), (looks) => {
        const differ = new Differ();
        const state = new ProcessState();
        const rowsOf = (each: (typeof looks)[number]) =>
          each.map((one) => ({ process: "7-a", ...one })) as unknown as QueueRow[];
        const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
        differ.begin(PROCESS, rowsOf(looks[0]!));
        state.begin(plain({ protocol: 1, at: 0, processes: [PROCESS], queues: rowsOf(looks[0]!) }));
        for (const each of looks) {
          state.apply(plain(differ.changes(0, PROCESS, rowsOf(each))));
          const seen = state.queues.map(({ spark: _, ...known }) => known);
          const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
          expect(seen.sort(byName)).toEqual(plain(rowsOf(each).sort(byName)));
        }
      }),
    );
  });

  it("say nothing where nothing has changed", () => {
    const differ = new Differ();
    const rows = [{ process: "7-a", name: "a", reasons: ["x"], depth: 1 } as unknown as QueueRow];
    differ.begin(PROCESS, rows);
    const same = [{ ...rows[0]!, reasons: ["x"] }];
    expect(differ.changes(5, PROCESS, same)).toEqual({ at: 5, processes: [], queues: [] });
  });
});

it("events are read whatever the pieces are in which they come", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string(), { maxLength: 6 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (texts, sizes) => {
        let whole = "retry: 2000\n\n";
        for (const text of texts) whole += `event: e\ndata: ${JSON.stringify(text)}\n\n`;
        const seen: unknown[] = [];
        const parser = new EventParser((name, json) => seen.push([name, JSON.parse(json)]));
        for (let at = 0; at < whole.length; ) {
          const size = sizes.next().value!;
          parser.add(whole.slice(at, at + size));
          at += size;
        }
        expect(seen).toEqual(texts.map((text) => ["e", text]));
      },
    ),
  );
});

describe("the name of a socket", () => {
  const character = fc.constantFrom("a", ".", "/", " ", "é", "日", "😀", "\0", "\ud800", "-");
  const name = fc.array(character, { maxLength: 300 }).map((all) => all.join(""));

  it("tells which process it is, and is never too long, whatever that is called", () => {
    fc.assert(
      fc.property(name, fc.nat(4_194_304), (name, pid) => {
        const id = `${pid}.12-tpc1dw0`;
        const file = socketName({ id, name }, roomIn("/tmp/queuescope-0"));
        expect(file).toMatch(/^[\w.-]+$/);
        expect(Buffer.byteLength(file)).toBeLessThanOrEqual(62);
        expect(idInName(file)).toBe(id);
      }),
    );
  });

  it.each(["metrics-9464.json", "7-a.sock.part", "x-a-b.sock", "../7-a-b.sock"])("is not %s", (name) => {
    expect(idInName(name)).toBeUndefined();
  });
});

describe("a process", () => {
  const processes = [
    { id: "7-a", pid: 7 },
    { id: "7.1-a", pid: 7 },
    { id: "8-b", pid: 8 },
  ] as ProcessRow[];

  it("is meant by its ID, or by a pid that is of one only", () => {
    expect(findProcess(processes, "7-a")!.id).toBe("7-a");
    expect(findProcess(processes, "8")!.id).toBe("8-b");
    expect(findProcess(processes, "7")).toBeUndefined();
    expect(onlyOne(processes.slice(2), undefined).id).toBe("8-b");
    expect(() => onlyOne(processes, undefined)).toThrow("say which one");
    expect(() => onlyOne([], undefined)).toThrow("there is no process");
  });
});

describe("options", () => {
  it.each([
    [() => readInspectOptions({ nmae: "x" } as never), /nmae/],
    [() => readInspectOptions({ name: "" }), /name must be/],
    [() => readInspectOptions({ maxClients: 0 }), /maxClients must be a whole number from 1, not 0/],
    [() => readInspectOptions({ traceUrl: "javascript:{traceId}" }), /traceUrl must be an http/],
    [() => readInspectOptions({ traceUrl: "https://example.com/" }), /with \{traceId\} in it/],
    [() => readInspectOptions({ allowActions: true as never }), /allowActions must be \{ token \}/],
    [() => readHandlerOptions({ basePath: "queues" }), /basePath must be a path that begins with a slash/],
    [() => readHandlerOptions({ basePath: "/a/../b?" }), /basePath/],
    [() => readHandlerOptions({ processes: "every" as never }), /processes must be "own" or "all"/],
    [() => readHandlerOptions({ allowActions: true }), /allowActions/],
    [() => readServeOptions({ port: 70_000 }), /port must be a whole number from 0 to 65535/],
    [() => readServeOptions({ host: "0.0.0.0" }), /host must be 127.0.0.1/],
    [() => readServeOptions({ basePath: "/x" } as never), /basePath/],
  ])("are refused with what is allowed: %s", (read, message) => {
    expect(read).toThrow(message);
  });

  it("never show a token that is refused", () => {
    try {
      readInspectOptions({ allowActions: { token: "hunter2" } });
      expect.unreachable();
    } catch (error) {
      expect(String(error)).toContain("at least 16 characters");
      expect(JSON.stringify({ ...(error as object) })).not.toContain("hunter2");
    }
  });

  it("let other machines in with auth only", () => {
    expect(readServeOptions({ host: "0.0.0.0", auth: () => true })).toMatchObject({
      host: "0.0.0.0",
      port: 9465,
    });
    expect(readServeOptions({ host: "::1" }).host).toBe("::1");
  });
});
