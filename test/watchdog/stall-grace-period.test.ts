import { beforeEach, expect, it } from "vitest";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { StallGracePeriod } from "../../src/watchdog/announcer.js";

let clock: FakeClock;
let told: string[];
let faults: unknown[];
let gracePeriod: StallGracePeriod;

beforeEach(() => {
  clock = new FakeClock();
  told = [];
  faults = [];
  const guard = {
    attempt<R>(act: () => R): R | undefined {
      try {
        return act();
      } catch (error) {
        faults.push(error);
        return undefined;
      }
    },
    fault: (error: unknown) => faults.push(error),
  };
  gracePeriod = new StallGracePeriod(clock, guard, (lateMs) => told.push(`late by ${lateMs}`));
});

const tell = (what: string) => gracePeriod.announce(() => told.push(what));

it("tells at once what nothing holds back", () => {
  tell("breach");
  expect(told).toEqual(["breach"]);
});

it("tells in order, after who came late, when it is known what blocked the loop", () => {
  gracePeriod.begin(1_000, { lateMs: 600, endedAt: 0 });
  tell("breach");
  tell("cleared");
  gracePeriod.heard(900);
  expect(told).toEqual([]);
  gracePeriod.heard(1_100);
  expect(told).toEqual(["late by 600", "breach", "cleared"]);
  expect(clock.pending).toBe(0);
});

it("waits for the thread's word of the latest stall, where one follows the other, but not for ever", () => {
  gracePeriod.begin(1_000);
  tell("breach");
  clock.advance(300);
  gracePeriod.begin(2_000);
  gracePeriod.heard(1_100);
  clock.advance(300);
  expect(told).toEqual([]);
  gracePeriod.heard(2_100);
  expect(told).toEqual(["breach"]);
  for (let from = 3_000; from < 9_000; from += 1_000) {
    gracePeriod.begin(from);
    tell(`breach ${from}`);
    clock.advance(300);
  }
  expect(told.length).toBeGreaterThan(1);
});

it("doesn't wait for ever for the thread's word", () => {
  gracePeriod.begin(1_000);
  tell("breach");
  clock.advance(1_000);
  expect(told).toEqual(["breach"]);
  expect(gracePeriod.isOn).toBe(false);
});

it("waits for the last word when it is asked to", () => {
  gracePeriod.begin(1_000);
  tell("breach");
  gracePeriod.wait();
  clock.advance(1_000);
  expect(told).toEqual([]);
  gracePeriod.release();
  expect(told).toEqual(["breach"]);
});

it("holds nothing back where no clock would end that, and what throws hides nothing", () => {
  const { setTimeout } = clock;
  clock.setTimeout = () => {
    throw new Error("a clock of the user's");
  };
  gracePeriod.begin(1_000);
  tell("breach");
  expect(told).toEqual(["breach"]);
  clock.setTimeout = setTimeout;
  gracePeriod.begin(1_000);
  gracePeriod.announce(() => {
    throw new Error("a telling");
  });
  tell("cleared");
  clock.advance(1_000);
  expect(told).toEqual(["breach", "cleared"]);
  expect(faults).toHaveLength(2);
});
