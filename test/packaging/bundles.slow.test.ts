import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUNDLERS, folderOf, ROOT } from "./bundlers.js";

const LIMIT_MS = 300_000;
const run = promisify(execFile);

/** Where the app is made: this package is installed there, as it is published. */
let workshop: string;
/** Where it runs. Nothing is installed there. */
let elsewhere: string;
let app: string;

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "queuescope-bundles-"));
  mkdirSync(join(folder, "node_modules", "@opentelemetry"), { recursive: true });
  cpSync(join(ROOT, "test/packaging/app/in-thread.mjs"), join(folder, "in-thread.mjs"));
  return folder;
}

function install(folder: string): void {
  const modules = join(folder, "node_modules");
  for (const part of ["package.json", "dist"]) {
    cpSync(join(ROOT, part), join(modules, "queuescope", part), { recursive: true });
  }
  symlinkSync(folderOf("@opentelemetry/api"), join(modules, "@opentelemetry/api"), "junction");
}

beforeAll(async () => {
  await run(process.execPath, [join(ROOT, "scripts/build.mjs")]);
  workshop = temporary();
  elsewhere = temporary();
  install(workshop);
  app = join(workshop, "app.ts");
  cpSync(join(ROOT, "test/packaging/app/app.ts"), app);
}, LIMIT_MS);

afterAll(() => {
  for (const folder of [workshop, elsewhere]) rmSync(folder, { recursive: true, force: true });
});

interface Said {
  readonly done: readonly string[];
  readonly sawStall: boolean;
  readonly threads: unknown;
}

async function said(folder: string, file: string): Promise<Said> {
  const { stdout } = await run(process.execPath, [join(folder, file), join(folder, "in-thread.mjs")], {
    cwd: folder,
  });
  return JSON.parse(stdout) as Said;
}

describe("an app with a queue, a pool, a watchdog and threads, in one file", () => {
  const fileOf = (name: string) => `${name.replace(/[^a-z]+/gi, "-")}${BUNDLERS[name]!.extension}`;

  describe("where nothing is installed", () => {
    beforeAll(async () => {
      for (const [name, { bundle }] of Object.entries(BUNDLERS)) {
        await bundle({ app, external: ["piscina"], to: join(workshop, fileOf(name)) });
        cpSync(join(workshop, fileOf(name)), join(elsewhere, fileOf(name)));
      }
      // webpack remembers where it was.
      rmSync(join(workshop, "node_modules", "queuescope"), { recursive: true });
    }, LIMIT_MS);

    it.each(Object.keys(BUNDLERS))(
      "works but for the threads, which say what to do: %s",
      async (name) => {
        expect(await said(elsewhere, fileOf(name))).toEqual({
          done: ["a letter, a request"],
          sawStall: true,
          threads: expect.stringMatching(
            /^ThreadsUnavailableError: .* mark queuescope and piscina as external/,
          ),
        });
      },
      LIMIT_MS,
    );
  });

  describe.each([
    ["they", ["piscina", "queuescope"]],
    ["only piscina", ["piscina"]],
  ])("where this package and piscina are installed, and %s external", (_, external) => {
    it.each(["esbuild, ESM", "esbuild, CommonJS", "webpack, CommonJS"])(
      "works: %s",
      async (name) => {
        const folder = temporary();
        try {
          install(folder);
          symlinkSync(folderOf("piscina"), join(folder, "node_modules", "piscina"), "junction");
          cpSync(join(ROOT, "test/packaging/app/app.ts"), join(folder, "app.ts"));
          const file = fileOf(name);
          await BUNDLERS[name]!.bundle({ app: join(folder, "app.ts"), external, to: join(folder, file) });
          expect(await said(folder, file)).toMatchObject({ sawStall: true, threads: 42 });
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
      LIMIT_MS,
    );
  });
});
