import { defineConfig } from "vitest/config";

/** Dashboards and rules against their servers; what takes minutes is only here, and no part of `npm test`. */
export default defineConfig({
  test: {
    include: ["test/grafana/**/*.test.ts", "test/live/**/*.test.ts"],
    pool: "forks",
    // They mostly wait for servers: more at a time than there are processors.
    maxWorkers: 3,
    maxConcurrency: 20,
    testTimeout: 20_000,
    hookTimeout: 10_000,
    teardownTimeout: 5_000,
  },
});
