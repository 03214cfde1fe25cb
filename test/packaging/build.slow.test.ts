import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "./bundlers.js";

const LIMIT_MS = 600_000;
const run = promisify(execFile);

/** What git has, as after a clone. */
let clone: string;

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), "queuescope-clone-"));
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" }).split("\0");
  for (const file of files) {
    if (file === "" || !existsSync(join(ROOT, file))) continue;
    cpSync(join(ROOT, file), join(clone, file));
  }
  symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"), "junction");
}, LIMIT_MS);

afterAll(() => rmSync(clone, { recursive: true, force: true }));

const build = (...args: string[]) => run(process.execPath, ["scripts/build.mjs", ...args], { cwd: clone });
const npm = (...args: string[]) =>
  run("npm", args, { cwd: clone, env: { ...process.env, NODE_OPTIONS: "" } });
const inDist = () => readdirSync(join(clone, "dist"), { recursive: true, encoding: "utf8" }).sort();
const builtAt = () => statSync(join(clone, "dist/index.js")).mtimeMs;

/** Another message of an error, so that what is built differs. */
function change(word: string): void {
  const file = join(clone, "src/base/errors/options.ts");
  writeFileSync(
    file,
    readFileSync(join(ROOT, "src/base/errors/options.ts"), "utf8").replace("an empty object", word),
  );
}

describe("the build", () => {
  beforeEach(() => rmSync(join(clone, "dist"), { recursive: true, force: true }));

  it("gives files of ASCII, whose source takes half the heap and is faster to load", {
    timeout: LIMIT_MS,
  }, async () => {
    await build();
    const code = inDist().filter((file) => /\.c?js$/.test(file));
    expect(code).toContain("index.cjs");
    for (const file of code) {
      const bytes = readFileSync(join(clone, "dist", file));
      expect({ file, ascii: bytes.every((byte) => byte < 0x80) }).toEqual({ file, ascii: true });
    }
  });

  it("is done once, whoever asks for it at the same time", { timeout: LIMIT_MS }, async () => {
    await Promise.all([build(), build(), build()]);
    expect(inDist()).toContain("index.js");
    expect(readdirSync(join(clone, ".build"))).toEqual([]);
    const before = builtAt();
    await build();
    expect(builtAt()).toBe(before);
  });

  it("lets several scripts of npm begin at once, from a fresh clone", { timeout: LIMIT_MS }, async () => {
    const demo = () => npm("run", "demo", "--", "--port", "0", "--metrics-port", "0", "--seconds", "1");
    await Promise.all([demo(), demo(), npm("run", "build")]);
  });

  it("is done again where a source changed, or a file of it is gone, and keeps of old ones what may just be loaded", {
    timeout: LIMIT_MS,
  }, async () => {
    await build();
    const first = inDist();
    change("no room");
    await build();
    const second = inDist();
    expect(second).toEqual(expect.arrayContaining(first));
    expect(second.length).toBeGreaterThan(first.length);
    change("not any room");
    await build();
    expect(inDist()).not.toEqual(expect.arrayContaining(first));
    rmSync(join(clone, "dist/threads.cjs"));
    await build();
    expect(inDist()).toContain("threads.cjs");
    cpSync(join(ROOT, "src/base/errors/options.ts"), join(clone, "src/base/errors/options.ts"));
    await build("--fresh");
    expect(inDist()).toEqual(first);
  });

  it("never leaves a program without its files", { timeout: LIMIT_MS }, async () => {
    await build();
    let isBuilding = true;
    const program = "await import('queuescope'); await import('queuescope/sdk')";
    const load = async () => {
      let loads = 0;
      for (; isBuilding || loads < 3; loads++) {
        await run(process.execPath, ["--input-type=module", "-e", program], { cwd: clone });
      }
      return loads;
    };
    const loading = Promise.all([load(), load()]);
    for (let i = 0; i < 3; i++) {
      change(`no room ${i}`);
      await build();
    }
    isBuilding = false;
    await loading;
    cpSync(join(ROOT, "src/base/errors/options.ts"), join(clone, "src/base/errors/options.ts"));
  });

  it("keeps what there was where types are wrong, and says so", { timeout: LIMIT_MS }, async () => {
    await build();
    const before = readFileSync(join(clone, "dist/index.js"), "utf8");
    appendFileSync(join(clone, "src/base/errors/options.ts"), "\nexport const wrong: string = 1;\n");
    const failed = await build().catch((error: { stdout: string; stderr: string }) => error);
    cpSync(join(ROOT, "src/base/errors/options.ts"), join(clone, "src/base/errors/options.ts"));
    expect(failed.stdout + failed.stderr).toMatch(/options\.ts.*TS2322[\s\S]*nothing was built/);
    expect(readFileSync(join(clone, "dist/index.js"), "utf8")).toBe(before);
    expect(readdirSync(join(clone, ".build"))).toEqual([]);
  });

  it("takes over from a build that was killed", { timeout: LIMIT_MS }, async () => {
    const killed = execFile(process.execPath, ["-e", ""]);
    await once(killed, "exit");
    mkdirSync(join(clone, ".build"), { recursive: true });
    writeFileSync(join(clone, ".build/lock"), String(killed.pid));
    await build();
    expect(inDist()).toContain("index.js");
  });
});
