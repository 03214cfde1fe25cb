import { expect, it } from "vitest";
import { Pieces } from "../../src/watchdog/sampling/schedule.js";

const busy = (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

it("are done at once while there is time", () => {
  const pieces = new Pieces();
  const done: number[] = [];
  pieces.begin();
  for (let i = 0; i < 8; i++) pieces.do(() => done.push(i));
  expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(pieces.isBusy).toBe(false);
});

it("that take long leave turns to the event loop, and stay in order", async () => {
  const pieces = new Pieces();
  const done: (number | string)[] = [];
  pieces.begin();
  for (let i = 0; i < 30; i++) {
    pieces.do(() => {
      busy(2);
      done.push(i);
    });
  }
  expect(done.length).toBeLessThan(30);
  expect(pieces.isBusy).toBe(true);
  setImmediate(() => done.push("a turn of other code"));
  await pieces.finished();
  expect(done.filter((each) => typeof each === "number")).toEqual(Array.from({ length: 30 }, (_, i) => i));
  expect(done.indexOf("a turn of other code")).toBeLessThan(30);
});

it("what a piece gives to do is part of it", () => {
  const pieces = new Pieces();
  const done: string[] = [];
  pieces.begin();
  pieces.do(() => {
    pieces.do(() => done.push("inner"));
    done.push("outer");
  });
  expect(done).toEqual(["inner", "outer"]);
});
