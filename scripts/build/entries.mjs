import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths.mjs";

/**
 * What the package can be asked for, by name: `./sdk` in the `exports` of package.json is `src/sdk.ts`, and `.` is `src/index.ts`. So
 * one more entry is one more there.
 */
export function publicEntries() {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const names = Object.keys(exports)
    .filter((path) => path !== "./package.json")
    .map((path) => (path === "." ? "index" : path.slice("./".length)));
  return Object.fromEntries(names.map((name) => [name, `src/${name}.ts`]));
}

/**
 * Programs of threads, which find each other by their place in `dist`, and a file that a plugin puts into users' bundles. Modules only: they are
 * never required.
 */
export const PROGRAMS = {
  thread: "src/worker/threads/thread.ts",
  "frames-thread": "src/frames/thread.ts",
  "frames-runtime": "src/frames/runtime-program.ts",
};

/** What `bin` of package.json names. It is built apart from the rest: nothing that only it needs is loaded by a program of the user's. */
export const COMMAND = { cli: "src/cli/main.ts" };
