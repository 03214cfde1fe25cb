import { defineConfig } from "vitest/config";

/** Dashboards, rules and the stack, against their servers; what takes minutes is only here, and no part of `npm test`. */
export default defineConfig({
  test: {
    include: ["test/{grafana,live,stack}/**/*.test.ts"],
    pool: "forks",
    // They mostly wait for servers: more at a time than there are processors.
    maxWorkers: 4,
    maxConcurrency: 20,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
  },
});
