import { afterAll, it } from "vitest";
import { findProgram } from "../../scripts/stack/find-program.js";
import { type Lifetime, STOP_MS } from "./server.js";

const TEST_MS = 300_000;
/** More than a server takes that has to be killed. */
const END_MS = 4 * STOP_MS;

/** Lasts until all tests of the file have ended. What came last ends first. */
export function lifetimeOfFile(): Lifetime {
  const ends: (() => unknown)[] = [];
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  }, END_MS);
  return (end) => ends.push(end);
}

export interface LiveTest<Program extends string> {
  /** Where the programs are. */
  readonly paths: Readonly<Record<Program, string>>;
  readonly lifetime: Lifetime;
}

export interface LiveOptions {
  /** Longest time that the test may take, in milliseconds. Default: 300 000. */
  timeoutMs?: number;
  /** May it run beside the others of its file that say so, too? Default: false. */
  concurrent?: boolean;
}

/**
 * `it` for tests that need servers' programs; they get their paths. Where one isn't installed they are skipped, saying so
 * in their name, and fail if REQUIRE_SERVERS is 1, but for those that SKIP_SERVERS names.
 */
export function itWith<Program extends string>(...programs: readonly Program[]) {
  const found = programs.map((name) => [name, findProgram(name)] as const);
  const missing = found.flatMap(([name, path]) => (path === undefined ? [name] : []));
  const paths = Object.fromEntries(found) as Record<Program, string>;
  const forgone = (process.env.SKIP_SERVERS ?? "").split(" ");
  const why = `${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not installed`;
  return (
    name: string,
    test: (live: LiveTest<Program>) => Promise<void>,
    options: LiveOptions = {},
  ): void => {
    const { timeoutMs = TEST_MS, concurrent = false } = options;
    if (missing.length === 0) {
      // Tests that run side by side must each say for themselves that they have ended.
      it(name, { timeout: timeoutMs, concurrent }, ({ onTestFinished }) =>
        test({ paths, lifetime: (end) => onTestFinished(async () => void (await end()), END_MS) }),
      );
    } else if (process.env.REQUIRE_SERVERS !== "1" || missing.every((name) => forgone.includes(name))) {
      it.skip(`${name} (${why})`);
    } else {
      it(name, () => Promise.reject(new Error(`${why}, and REQUIRE_SERVERS is 1`)));
    }
  };
}
