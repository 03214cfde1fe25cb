import { expect, it } from "vitest";
import { OrderService } from "./order-service.js";

const STATUS =
  /^ *\d+ s {2}depth +(?<depth>\d+) {2}oldest +[\d.]+ m?s {2}wait p50\/p99 {2}vip +\S.* {2}regular +\S.* {2}in flight +\d+ {2}drops +(?<drops>\d+)$/;

it.concurrent("the load goes through its phases, and the status lines show each", async () => {
  const service = await OrderService.start([]);
  const { example } = service;
  await example.line(/^── calm: \d+ orders\/s come in, \d+ can be shipped: /);
  await example.line(/^── burst: /);
  await example.line(/^── slow downstream: /);
  await example.line(/^── recovery: /);
  example.kill("SIGINT");
  expect(await example.exited).toEqual({ code: 0, signal: null });
  expect(example.lines.at(-1)).toMatch(/^Nothing was left: /);

  const depths: Record<string, number[]> = {};
  let phase = "none";
  let drops = 0;
  for (const line of example.lines) {
    phase = /^── ([^:]+):/.exec(line)?.[1] ?? phase;
    const status = STATUS.exec(line)?.groups;
    if (status === undefined) continue;
    depths[phase] ??= [];
    depths[phase]!.push(Number(status.depth));
    drops = Number(status.drops);
  }
  expect(Object.keys(depths)).toEqual(["calm", "burst", "slow downstream", "recovery"]);
  expect(Math.max(...depths.burst!)).toBeGreaterThan(Math.max(...depths.calm!));
  expect(Math.max(...depths["slow downstream"]!)).toBeGreaterThan(150);
  expect(drops).toBeGreaterThan(0);
});

it.concurrent("with --no-load it only serves", async () => {
  const { example } = await OrderService.start(["--no-load"]);
  await example.line(/^ +3 s /);
  const [first, ...more] = example.lines.filter((line) => STATUS.test(line.replaceAll("–", "0 ms")));
  expect(first).toMatch(/depth +0 .* – .* in flight +0 +drops +0$/);
  expect(more.length).toBeGreaterThan(0);
  expect(example.output).not.toContain("──");
});
