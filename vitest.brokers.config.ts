import { defineConfig } from "vitest/config";

/** What needs a real broker: each file starts its own, on a free port of the loopback interface, in a temporary folder. */
export default defineConfig({
  test: {
    include: ["test/**/*.broker.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    // They wait for signals; a limit is for what never comes.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
  },
});
