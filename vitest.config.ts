import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

/** The fast tests: no child processes, no servers, no real time. The slow ones are named `*.slow.test.ts`, `*.broker.test.ts` and `*.browser.test.ts`. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/**/*.{slow,broker,browser}.test.ts"],
    pool: "forks",
    // On two processors vitest would take one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // A limit is for what never comes: on a crowded machine anything else may take long.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
});
