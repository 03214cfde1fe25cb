import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { frames } from "../../src/frames/esbuild.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);
/** Has the package installed, and whatever this repository has. */
let folder: string;

/** A program whose one task stands still, and which prints where: `import` and `export` become CommonJS where it is that. */
const APP = `
import { post } from "./post.js";
import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";
const queue = instrument(new FifoQueue(), { name: "orders" });
const watchdog = new Watchdog({ everyMs: 10, stallThresholdMs: Number.POSITIVE_INFINITY }).watch(queue).start();
async function charge(order) {
  await null;
  return post(order);
}
new WorkerPool(queue, async (order) => {
  await Promise.all([charge(order), charge(order)]);
});
queue.put(1).then(() => setTimeout(() => {
  const [{ groups }] = [watchdog.report()].flat();
  for (const { branches } of groups) for (const { count, frames } of branches)
    console.log(count + "x " + frames.map((f) => (f.functionName ?? "anonymous") + " " + f.file.replace(/.*[\\\\/]/, "") + ":" + f.line).join(" < "));
  process.exit();
}, 50));
`;
const POST = "export async function post() {\n  await new Promise(() => {});\n}\n";
const EXPECTED = "2x post post.js:2 < charge app.js:8 < anonymous app.js:11\n";

const asCommonJs = (code: string) =>
  code
    .replace(/^import (\{.*\}) from (".*");$/gm, "const $1 = require($2);")
    .replace(/^export async function (\w+)/gm, "exports.$1 = $1;async function $1");

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** What a program of that folder prints, on stdout and stderr. */
async function output(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ stdout: string; stderr: string }> {
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...rest } = process.env;
  return run(process.execPath, args, { cwd: folder, env: { ...rest, ...env } });
}

const FRAMES = ["--import", "queuescope/frames"];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "queuescope-frames-"));
  mkdirSync(join(folder, "node_modules"));
  for (const name of ["tsx", "esbuild", "@esbuild", "get-tsconfig", "resolve-pkg-maps", "@opentelemetry"]) {
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name), "junction");
  }
  symlinkSync(ROOT, join(folder, "node_modules/queuescope"), "junction");
  write({
    "esm/package.json": '{ "type": "module" }',
    "esm/app.js": APP,
    "esm/post.js": POST,
    "cjs/package.json": '{ "type": "commonjs" }',
    "cjs/app.js": asCommonJs(APP),
    "cjs/post.js": asCommonJs(POST),
    "ts/package.json": '{ "type": "module" }',
    // In TypeScript the lines below would be others, if types were not taken into account.
    "ts/app.ts": `interface Order {\n  id: number;\n}\nenum Kind { A }\nlet order: Order = { id: Kind.A };\n${APP.replace('"./post.js"', '"./post.ts"')}`,
    "ts/post.ts": `type A = {\n  a: 1;\n};\n${POST.replace("post()", "post(_: unknown): Promise<void>")}`,
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("frames are known", () => {
  it.each([
    ["in ES modules", [...FRAMES, "esm/app.js"]],
    ["in CommonJS", [...FRAMES, "cjs/app.js"]],
    ["in CommonJS, with --require", ["--require", "queuescope/frames", "cjs/app.js"]],
    [
      "where it is loaded twice, in both forms",
      [...FRAMES, "--require", "queuescope/frames", ...FRAMES, "esm/app.js"],
    ],
  ])("%s", async (_, args) => {
    expect(await output(args)).toEqual({ stdout: EXPECTED, stderr: "" });
  });

  it.each([
    ["after tsx", ["--import", "tsx", ...FRAMES]],
    ["before tsx", [...FRAMES, "--import", "tsx"]],
  ])("in TypeScript, %s", async (_, args) => {
    const { stdout } = await output([...args, "ts/app.ts"]);
    expect(stdout).toBe("2x post post.ts:5 < charge app.ts:13 < anonymous app.ts:16\n");
  });

  it("by NODE_OPTIONS, and in threads", async () => {
    write({
      "esm/threads.js":
        'import { Worker } from "node:worker_threads";\nnew Worker(new URL("./app.js", import.meta.url));\n',
    });
    const { stdout } = await output(["esm/threads.js"], { NODE_OPTIONS: "--import queuescope/frames" });
    expect(stdout).toBe(EXPECTED);
  });

  it("in installed packages that are named, and no others", async () => {
    write({
      "node_modules/post/package.json": '{ "name": "post", "type": "module", "exports": "./index.js" }',
      "node_modules/post/index.js": POST,
      "esm/installed.js": APP.replace('"./post.js"', '"post"'),
    });
    const args = [...FRAMES, "esm/installed.js"];
    expect((await output(args)).stdout).toBe("2x charge installed.js:8 < anonymous installed.js:11\n");
    const { stdout, stderr } = await output(args, { QUEUESCOPE_FRAMES_PACKAGES: "post, no/such" });
    expect(stdout).toBe("2x post index.js:2 < charge installed.js:8 < anonymous installed.js:11\n");
    expect(stderr).toMatch(/QUEUESCOPE_FRAMES_PACKAGES has "no\/such", which is ignored: allowed are/);
  });
});

describe("files", () => {
  it("that the parser doesn't know run as they are, and that is told once", async () => {
    // Known to Node's own parser only, or to none: then Node says so.
    write({
      "esm/deep.js": `export const f = async () => await ${"[".repeat(4_000)}1${"]".repeat(4_000)};\n`,
      "esm/wrong.js":
        'import("./broken.js").catch((error) => console.log(error.name));\nimport("./broken.js?2").catch((error) => console.log(error.name));\n',
      "esm/broken.js": "export const f = async () => await if;\n",
    });
    const { stdout, stderr } = await output([...FRAMES, "esm/wrong.js"]);
    expect(stdout).toBe("SyntaxError\nSyntaxError\n");
    expect(
      stderr.match(/broken\.js is left alone, so its async functions won't be in reports: SyntaxError/g),
    ).toHaveLength(1);
  });

  it("have the lines and columns of their errors, with source maps", async () => {
    write({
      "esm/throws.js":
        "async function f() { await null; throw new Error('no'); }\nawait f().catch(({ stack }) => console.log(/throws.js:\\d+:\\d+/.exec(stack)[0]));\n",
    });
    const plain = await output(["esm/throws.js"]);
    expect(plain.stdout).toBe("throws.js:1:40\n");
    expect((await output(["--enable-source-maps", ...FRAMES, "esm/throws.js"])).stdout).toBe(plain.stdout);
    expect((await output([...FRAMES, "esm/throws.js"])).stdout).toMatch(/^throws\.js:1:/);
  });

  it("have source maps for coverage", async () => {
    const coverage = join(folder, "coverage");
    await output([...FRAMES, "esm/throws.js"], { NODE_V8_COVERAGE: coverage });
    const sources = readdirSync(coverage).flatMap((file) => {
      const { "source-map-cache": cache = {} } = JSON.parse(readFileSync(join(coverage, file), "utf8"));
      return Object.values(cache as Record<string, { data: { sources: string[] } }>).flatMap(
        ({ data }) => data.sources,
      );
    });
    expect(sources).toContainEqual(expect.stringMatching(/throws\.js$/));
  });
});

describe("the plugin of esbuild", () => {
  const bundled = async (entry: string, options: object = {}) => {
    const outfile = join(folder, "out", `bundle${Math.random()}.mjs`);
    const { warnings } = await build({
      absWorkingDir: folder,
      entryPoints: [entry],
      bundle: true,
      platform: "node",
      format: "esm",
      outfile,
      packages: "external",
      logLevel: "silent",
      plugins: [frames()],
      ...options,
    });
    return { outfile, warnings };
  };

  it("does the same for a bundle, with the names and places of its sources, also where it is minified", async () => {
    for (const options of [{}, { minify: true }, { sourcemap: true }]) {
      const { outfile, warnings } = await bundled("ts/app.ts", options);
      expect(warnings).toEqual([]);
      expect((await output([outfile])).stdout).toBe(
        "2x post post.ts:5 < charge app.ts:13 < anonymous app.ts:16\n",
      );
      // A bundle that is transformed isn't transformed again.
      expect((await output([...FRAMES, outfile])).stdout).toBe(
        "2x post post.ts:5 < charge app.ts:13 < anonymous app.ts:16\n",
      );
    }
  });

  it("leaves alone what it doesn't know, with a warning, and bundles it", async () => {
    write({ "js/app.js": "console.log(typeof (class { accessor x = async () => await 1; }));\n" });
    const { outfile, warnings } = await bundled("js/app.js", { target: "es2022" });
    expect(warnings.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^its async functions won't be in reports/),
    ]);
    expect((await output([outfile])).stdout).toBe("function\n");
  });

  it("names the option that is wrong", () => {
    expect(() => frames({ packages: ["no/such"] })).toThrow(/packages must be an array of names of packages/);
    expect(() => frames({ package: [] } as never)).toThrow(/did you mean packages/);
  });
});
