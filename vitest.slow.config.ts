import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

/** What needs child processes, sockets, bundlers or real time; what needs Prometheus has a configuration of its own. */
export default defineConfig({
  test: {
    include: ["test/**/*.slow.test.ts"],
    exclude: [...configDefaults.exclude, "test/{grafana,live,stack}/**"],
    pool: "forks",
    // On two processors vitest would take one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // They wait for signals; a limit is for what never comes.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
  },
});
