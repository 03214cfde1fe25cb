import { describe, expect, it } from "vitest";
import { hasRedis } from "../brokers/support/redis.js";
import { Example } from "./child.js";

describe.skipIf(!hasRedis())("the distributed demo (needs redis-server)", () => {
  it("loses no order when a worker is killed, and then Redis, and its processes say why orders are late", async () => {
    const demo = Example.run("distributed-orders/main.ts");
    expect(await demo.exited).toEqual({ code: 0, signal: null });
    expect(demo.output).toMatch(/^(\d+) orders accepted, \1 shipped, 0 lost, \d+ shipped more than once$/m);
    const said = demo.output.matchAll(/^!! {2}.* waits for [\d.]+ s: ([a-z-]+):/gm);
    expect(Array.from(said, ([, verdict]) => verdict)).toContain("broker-blocked");
    expect(demo.output).toMatch(/^!! {2}the API sees /m);
  });
});
