import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { asModule, DOORS, publicNames, typesOf } from "../../docs/example-blocks.js";
import { hasRedis, RedisServer } from "../support/redis.js";

const run = promisify(execFile);

/** Within the package, so that it finds itself by its name. */
const FOLDER = ".build/broker-example";

describe.skipIf(!hasRedis())("the example of brokerConformance", () => {
  it("runs as it is in the docs, and passes", async () => {
    const names = Object.keys(DOORS).flatMap(publicNames);
    const types = new Map(
      Object.keys(DOORS).flatMap((door) => typesOf(door).map((type) => [type, door] as const)),
    );
    const { example } = names.find(({ name }) => name === "brokerConformance")!;
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(`${FOLDER}/example.ts`, asModule(example!, names, types));
    const redis = await RedisServer.start();
    try {
      const env = { ...process.env, REDIS_PORT: `${redis.port}` };
      const { stdout } = await run(process.execPath, ["--import", "tsx", "--test", `${FOLDER}/example.ts`], {
        env,
      });
      expect(stdout).toMatch(/# fail 0|ℹ fail 0/);
      expect(stdout).toMatch(/(#|ℹ) skipped 0/);
    } finally {
      await redis.stop();
    }
  });
});
