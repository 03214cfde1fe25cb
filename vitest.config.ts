import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // These take minutes: `npm run test:prometheus`.
    exclude: [...configDefaults.exclude, "test/live/{alerts,queries}.test.ts"],
    pool: "forks",
    testTimeout: 20_000,
    hookTimeout: 10_000,
    teardownTimeout: 5_000,
  },
});
