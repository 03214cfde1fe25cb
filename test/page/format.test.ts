import { describe, expect, it } from "vitest";
import { bytes, count, duration, minutes, percent, rate, some } from "../../src/page/state/format.js";

const plain = (text: string) => text.replaceAll("\u202f", " ");

describe("figures on the page", () => {
  it.each([
    [undefined, "–"],
    [null, "–"],
    [Number.NaN, "–"],
    [0, "0"],
    [0.4, "0.4 ms"],
    [7, "7 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 s"],
    [9_949, "9.9 s"],
    [9_951, "10 s"],
    [119_499, "119 s"],
    [119_501, "2 min"],
    [7_200_000, "2 h"],
    [5_400_000 * 10, "15 h"],
    [86_400_000 * 3, "3 d"],
  ])("say a length of %s ms as %s", (ms, words) => expect(plain(duration(ms))).toBe(words));

  it.each([
    [0, "0"],
    [1_234, "1 234"],
    [99_999, "99 999"],
    [100_000, "100 k"],
    [999_499, "999 k"],
    [999_500, "1.00 M"],
    [12_345_678, "12.3 M"],
    [-5, "-5"],
  ])("say a count of %s as %s", (n, words) => expect(plain(count(n))).toBe(words));

  it.each([
    [0.001, "0"],
    [0.02, "0.02"],
    [0.44, "0.4"],
    [9.94, "9.9"],
    [52.2, "52"],
  ])("say a rate of %s as %s", (n, words) => expect(plain(rate(n))).toBe(words));

  it("never round what is within the limit up to the limit", () => {
    expect(plain(percent(0.999))).toBe("99 %");
    expect(plain(percent(1))).toBe("100 %");
    expect(plain(percent(3.14))).toBe("314 %");
    expect(plain(percent(14))).toBe("14×");
  });

  it("say sizes and times in short", () => {
    expect([bytes(43e6), bytes(2.2e9), bytes(900)].map(plain)).toEqual(["43 MB", "2.2 GB", "1 kB"]);
    expect([minutes(187_000), minutes(-4)]).toEqual(["3:07", "0:00"]);
    expect([some(1, "queue"), some(2, "queue")]).toEqual(["1 queue", "2 queues"]);
  });
});
