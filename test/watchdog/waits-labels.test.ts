import { describe, expect, it } from "vitest";
import { normalised, requestLabel } from "../../src/waits/labels.js";
import type { Wait, WaitKind } from "../../src/waits/wait.js";
import { groupByWait } from "../../src/watchdog/sampling/tasks.js";

const UUID = "8c5e0b52-7b9a-4f53-9a37-0d6d7f6f1e11";

describe("a request's label", () => {
  it.each([
    ["POST", "https:", "api.example.com:443", "/v1/charges?key=abc", "POST api.example.com/v1/charges"],
    ["GET", "http:", "localhost:3000", "/a#b", "GET localhost:3000/a"],
    ["GET", "http:", "localhost:80", "/", "GET localhost/"],
    ["GET", "https:", "h", `/orders/${UUID}`, `GET h/orders/${UUID}`],
    [
      "POST",
      "https:",
      "api.telegram.org",
      "/bot123456789:AAF0d9x3kL2mN4pQ/send",
      "POST api.telegram.org/:secret/send",
    ],
    ["GET", "https:", "h", "/a-page-with-a-very-long-title", "GET h/a-page-with-a-very-long-title"],
  ])("of %s %s//%s%s is %s", (method, protocol, host, path, label) => {
    expect(requestLabel(method, protocol, host, path)).toBe(label);
  });

  it("is cut where it is very long", () => {
    expect(requestLabel("GET", "http:", "h", `/${"long/".repeat(100)}`)).toHaveLength(120);
  });
});

describe("what labels have in common", () => {
  it.each([
    ["GET h/orders/123", "GET h/orders/:id"],
    ["GET h/orders/123/lines/4", "GET h/orders/:id/lines/:id"],
    [`GET h/orders/${UUID}`, "GET h/orders/:id"],
    ["GET h/objects/507f1f77bcf86cd799439011", "GET h/objects/:id"],
    ["GET 127.0.0.1:3000/v1/charges", "GET 127.0.0.1:3000/v1/charges"],
    ["GET api-2.example.com/x", "GET api-2.example.com/x"],
    ["lock on order 7", "lock on order :id"],
    ["lock on order-7", "lock on order-:id"],
    ["item #42", "item #:id"],
    ["charge card", "charge card"],
    ["process ffmpeg", "process ffmpeg"],
  ])("%s is %s", (label, expected) => {
    expect(normalised(label)).toBe(expected);
  });
});

describe("groups of tasks", () => {
  const wait = (label: string, since: number, more: Partial<Wait> = {}): Wait => ({
    kind: "http",
    label,
    since,
    state: undefined,
    stack: undefined,
    ...more,
  });
  const kind = (name: WaitKind) => ({ kind: name });
  let id = 0;
  const task = (since: number | undefined, ...waits: Wait[]) => ({ id: id++, since, waits });

  it("hold what waits for the same, oldest first, and come oldest first", () => {
    const young = task(50, wait("GET h/orders/2", 60, { state: "connecting" }));
    const other = task(10, wait("GET h/stock", 30));
    const old = task(20, wait("GET h/orders/1", 25, { state: "sent" }));
    const third = task(21, wait("GET h/orders/3", 26, { state: "sent" }));
    expect(groupByWait([young, other, old, third])).toEqual([
      {
        kind: "http",
        label: "GET h/orders/:id",
        states: ["sent", "connecting"],
        since: 25,
        tasks: [old, third, young],
      },
      { kind: "http", label: "GET h/stock", states: [], since: 30, tasks: [other] },
    ]);
  });

  it("keep the label as it is where it is the same for all", () => {
    const tasks = [task(1, wait("GET h/orders/1", 2)), task(2, wait("GET h/orders/1", 3))];
    expect(groupByWait(tasks).map(({ label }) => label)).toEqual(["GET h/orders/1"]);
  });

  it("go by the newest wait, and by open spans only where there is nothing else", () => {
    const tasks = [
      task(1, wait("GET h/a", 1), wait("lock", 2, kind("label")), wait("work", 3, kind("span"))),
      task(1, wait("outer", 1, kind("span")), wait("inner", 2, kind("span"))),
    ];
    expect(groupByWait(tasks).map(({ label }) => label)).toEqual(["lock", "inner"]);
  });

  it("don't mix kinds", () => {
    expect(
      groupByWait([task(1, wait("x", 1, kind("span"))), task(1, wait("x", 1, kind("label")))]),
    ).toHaveLength(2);
  });

  it("have the unknown last, and of these those last that have no time", () => {
    const unknown = task(1);
    const timeless = task(undefined);
    const known = task(9, wait("x", 10));
    expect(groupByWait([timeless, unknown, known])).toEqual([
      expect.objectContaining({ label: "x", tasks: [known] }),
      { kind: undefined, label: undefined, states: [], since: 1, tasks: [unknown, timeless] },
    ]);
  });

  it("are none of no tasks", () => {
    expect(groupByWait([])).toEqual([]);
  });
});
