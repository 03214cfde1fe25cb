import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { number, time } from "../../src/cli/queue-cells.js";
import { fitted, tableLines, widthOf } from "../../src/cli/table.js";
import { bar, COLOURS, draw, NO_COLOURS, spark } from "../../src/cli/top/draw.js";
import { keysIn, Screen } from "../../src/cli/top/screen.js";
import type { ProcessRow, QueueRow } from "../../src/inspector/protocol.js";

const PROCESS = { id: "7-a", pid: 7, name: "shop" } as ProcessRow;

function row(name: string, more: Partial<QueueRow> = {}): QueueRow {
  const figures = {
    inPerSecond: 0,
    outPerSecond: 0,
    endedPerSecond: 0,
    failedPerSecond: 0,
    droppedPerSecond: 0,
  };
  return {
    process: "7-a",
    name,
    scope: "process",
    health: "ok",
    rank: 0,
    reasons: [],
    tiers: [],
    ...figures,
    ...more,
  } as never;
}

function drawn(screen: Screen, queues: QueueRow[], columns = 150, rows = 20, paint = NO_COLOURS): string[] {
  return draw(screen, { processes: [PROCESS], queues, now: new Date(0) }, { columns, rows }, paint);
}

describe("the screen of top", () => {
  const queues = [
    row("b", { rank: 1, depth: 9 }),
    row("a", { rank: 3, depth: 1 }),
    row("c", { rank: 2, depth: 5 }),
  ];
  const order = (screen: Screen) =>
    screen
      .show(queues)
      .map(({ name }) => name)
      .join("");

  it("has the worst first, and sorts by what s says, the other way with r", () => {
    const screen = new Screen();
    expect(order(screen)).toBe("acb");
    screen.press("s");
    expect([screen.order, order(screen)]).toEqual(["name", "abc"]);
    screen.press("r");
    expect(order(screen)).toBe("cba");
    screen.press("r");
    for (const _ of ["sla", "oldest", "depth"]) screen.press("s");
    expect([screen.order, order(screen)]).toEqual(["depth", "bca"]);
  });

  it("keeps what is chosen where it is when the order changes", () => {
    const screen = new Screen();
    order(screen);
    screen.press("\u001b[B");
    expect(screen.show(queues)[screen.at]!.name).toBe("c");
    screen.press("s");
    expect(screen.show(queues)[screen.at]!.name).toBe("c");
    screen.press("\u001b[H");
    expect(screen.show(queues)[screen.at]!.name).toBe("a");
  });

  it("takes letters as a filter while one is typed, and all keys again after that", () => {
    const screen = new Screen();
    for (const key of ["/", "q", "b", "\u007f", "\u007f", "c"]) expect(screen.press(key)).toBeUndefined();
    expect(order(screen)).toBe("c");
    screen.press("\r");
    expect(screen.press("q")).toBe("quit");
    screen.press("\u001b");
    expect(order(screen)).toBe("acb");
  });

  it("ends by Ctrl-C", () => {
    expect(new Screen().press("\u0003")).toBe("quit");
  });

  it("tells keys apart that come at once", () => {
    expect(keysIn("j\u001b[B\u001bOA\u001b[5~é\u001b")).toEqual([
      "j",
      "\u001b[B",
      "\u001b[A",
      "\u001b[5~",
      "é",
      "\u001b",
    ]);
  });
});

describe("what top draws", () => {
  it("is never wider or longer than the terminal, whatever names and sizes are", () => {
    const character = fc.constantFrom(
      "a",
      "Z",
      " ",
      "é",
      "日",
      "😀",
      "\u202e",
      "\u001b",
      "\n",
      "\ud800",
      "\u0301",
    );
    const name = fc.array(character, { maxLength: 60 }).map((all) => all.join(""));
    fc.assert(
      fc.property(
        fc.array(name, { maxLength: 12 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 6, max: 60 }),
        (names, columns, rows) => {
          const all = names.map((each, i) =>
            row(each, {
              health: i % 2 === 0 ? "breach" : "ok",
              reasons: [`${each} is late`],
              spark: [1, null, 3],
            }),
          );
          for (const press of [[], ["?"], ["\r"]]) {
            const screen = new Screen();
            screen.show(all);
            for (const key of press) screen.press(key);
            const lines = drawn(screen, all, columns, rows);
            expect(lines).toHaveLength(rows);
            for (const line of lines) {
              expect(widthOf(line)).toBeLessThanOrEqual(columns);
              expect(line).not.toMatch(/\p{Cc}/u);
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it("has no colours but its own", () => {
    const lines = drawn(new Screen(), [row("a\u001b[2Jb", { health: "breach" })], 150, 10, COLOURS);
    expect(lines.join("")).toContain(COLOURS.chosen);
    expect(lines.join("")).not.toContain("\u001b[2J");
  });

  it("shows how much of an SLA is used, and what waited", () => {
    expect(bar(0.5)).toBe("█████····· ");
    expect(bar(1.2)).toBe("██████████!");
    expect(bar(undefined)).toBe("");
    expect(spark([0, 1, null, 8, 4], 10)).toBe("▁▂ █▅");
    expect(spark([0, 0], 10)).toBe("▁▁");
    expect([time(7), time(1_234), time(61_000), time(undefined)]).toEqual(["7ms", "1.2s", "1m01", "·"]);
    expect([number(9_999), number(12_345), number(2_500_000)]).toEqual(["9999", "12.3k", "2.5M"]);
  });

  it("aligns columns by how wide characters are", () => {
    const lines = tableLines(
      [{ head: "A" }, { head: "B", align: "right" }],
      [
        ["日本", "1"],
        ["x", "22"],
      ],
    );
    expect(lines.map(widthOf)).toEqual([8, 8, 8]);
    expect(fitted("日本語", 5)).toBe("日本…");
  });
});
