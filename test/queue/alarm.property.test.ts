import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NOWHERE, PositionedHeap } from "../../src/base/positioned-heap.js";
import { Alarm, type Due } from "../../src/queue/alarm.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { RUNS } from "./model-runner.js";

describe("an Alarm", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ in: fc.nat(50) }) },
    { weight: 3, arbitrary: fc.record({ unset: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ advance: fc.nat(20) }) },
  );

  it("rings each instant once, on time and in order, on one timer, unless it is unset", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: "max" }), (script) => {
        const clock = new FakeClock();
        const alarm = new Alarm(clock);
        const rung: number[] = [];
        let model: (Due & { id: number })[] = [];
        for (const [id, each] of script.entries()) {
          if ("in" in each) {
            const dueAt = clock.now() + each.in;
            const due = { id, dueAt, position: NOWHERE, order: 0, ring: () => void rung.push(id) };
            model.push(due);
            alarm.set(due);
          } else if ("unset" in each) {
            const [due] = model.splice(model.length === 0 ? 0 : each.unset % model.length, 1);
            if (due !== undefined) alarm.unset(due);
          } else {
            clock.advance(each.advance);
            const over = model.filter(({ dueAt }) => dueAt <= clock.now());
            model = model.filter(({ dueAt }) => dueAt > clock.now());
            expect(rung.splice(0)).toEqual(over.toSorted((a, b) => a.dueAt - b.dueAt).map((due) => due.id));
          }
          expect(rung).toEqual([]);
          expect(clock.pending).toBe(model.length === 0 ? 0 : 1);
        }
      }),
      RUNS,
    );
  });

  it("lets what rings set and unset others", () => {
    const clock = new FakeClock();
    const alarm = new Alarm(clock);
    const rung: string[] = [];
    const due = (name: string, inMs: number, then = () => {}): Due => ({
      dueAt: clock.now() + inMs,
      position: NOWHERE,
      order: 0,
      ring() {
        rung.push(name);
        then();
      },
    });
    const cancelled = due("cancelled", 5);
    alarm.set(
      due("first", 5, () => {
        alarm.unset(cancelled);
        alarm.set(due("at once", 0));
        alarm.set(due("later", 10));
      }),
    );
    alarm.set(cancelled);
    clock.advance(5);
    expect([rung, clock.pending]).toEqual([["first", "at once"], 1]);
    clock.advance(10);
    expect([rung, clock.pending]).toEqual([["first", "at once", "later"], 0]);
  });
});

describe("a PositionedHeap", () => {
  it("keeps its order over many pages, of which none is copied, and gives them back", () => {
    const entries = Array.from({ length: 40_000 }, (_, i) => ({
      key: (i * 7_919) % 40_000,
      position: NOWHERE,
    }));
    const heap = new PositionedHeap<(typeof entries)[number]>((a, b) => a.key < b.key);
    for (const entry of entries) heap.add(entry);
    for (const entry of entries) if (entry.key % 3 === 0) heap.remove(entry);
    heap.remove(entries[0]!);
    const keys: number[] = [];
    for (let { first } = heap; first !== undefined; { first } = heap) {
      keys.push(first.key);
      heap.remove(first);
    }
    expect(keys).toEqual(Array.from({ length: 40_000 }, (_, key) => key).filter((key) => key % 3 !== 0));
    expect(entries.every(({ position }) => position === NOWHERE)).toBe(true);
    expect(heap).toMatchObject({ size: 0, pages: [[]] });
  });
});
