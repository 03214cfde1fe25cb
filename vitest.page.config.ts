import { defineConfig } from "vitest/config";

/** The page of the live view in a browser, Debian's Chromium. */
export default defineConfig({
  test: {
    include: ["test/page/**/*.browser.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    // They wait for signals; a limit is for what never comes.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
  },
});
