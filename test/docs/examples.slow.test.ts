import { execFile } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { asModule, DOORS, publicNames, typesOf } from "./example-blocks.js";

const run = promisify(execFile);

/** Within the package, so that it finds itself by its name. */
const FOLDER = ".build/docstring-examples";
const LIMIT_MS = 60_000;

/** Errors for which a package would have to be missing, a bundle be made, or a thread hang. */
const NOT_HERE = ["MissingPeerError", "ThreadsUnavailableError", "ThreadTerminatedError"];

/** Whose examples need a server that listens where it usually does: they only pass the type checker. What they show runs in test/brokers. */
const OF_BROKERS = ["queuescope/amqplib", "queuescope/bullmq", "brokerQueue"];

/** Examples with packages that are not installed here: Nest's module for BullMQ. */
const WITHOUT_PACKAGES = ["instrumentNest"];

const names = Object.keys(DOORS).flatMap(publicNames);
const types = new Map(
  Object.keys(DOORS).flatMap((door) => typesOf(door).map((type) => [type, door] as const)),
);
const withExample = [
  ...new Map(names.filter(({ example }) => example).map((each) => [each.name, each])).values(),
];

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const { name, example } of withExample) {
    if (WITHOUT_PACKAGES.includes(name)) continue;
    writeFileSync(join(FOLDER, `${name}.ts`), asModule(example!, names, types));
  }
  // What the example of `inThreads` runs.
  cpSync("examples/cpu-threads/primes.ts", join(FOLDER, "primes.ts"));
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false, rootDir: "." };
  const config = { extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"], exclude: [] };
  writeFileSync(join(FOLDER, "tsconfig.json"), JSON.stringify(config));
});

describe("the examples in docstrings", () => {
  it("pass the type checker", { timeout: LIMIT_MS * 5 }, async () => {
    const { stdout } = await run("node_modules/.bin/tsc", ["-p", FOLDER]).catch((error) => error);
    expect(stdout).toBe("");
  });

  it.each(
    withExample
      .filter(({ door, name }) => !OF_BROKERS.includes(door) && !OF_BROKERS.includes(name))
      .map(({ name }) => name),
  )("%s: runs, and ends by itself", { timeout: LIMIT_MS * 5 }, async (name) => {
    const { stdout } = await run(process.execPath, ["--import", "tsx", join(FOLDER, `${name}.ts`)], {
      timeout: LIMIT_MS,
    });
    const isCaught = name.endsWith("Error") && !NOT_HERE.includes(name);
    if (isCaught) expect(stdout).not.toBe("");
  });
});
