import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { hasRedis } from "./support/redis.js";

const run = promisify(execFile);

describe.skipIf(!hasRedis())("the distributed demo (needs redis-server)", () => {
  it("loses no order when a worker is killed, and then Redis, and its processes say why orders are late", async () => {
    const demo = ["--import", "tsx", "examples/distributed-orders/main.ts"];
    const { stdout } = await run(process.execPath, demo, { timeout: 240_000 });
    expect(stdout).toMatch(/^(\d+) orders accepted, \1 shipped, 0 lost, \d+ shipped more than once$/m);
    const said = Array.from(
      stdout.matchAll(/^!! {2}.* waits for [\d.]+ s: ([a-z-]+):/gm),
      ([, verdict]) => verdict,
    );
    expect(said).toContain("broker-blocked");
    expect(stdout).toMatch(/^!! {2}the API sees /m);
  });
});
