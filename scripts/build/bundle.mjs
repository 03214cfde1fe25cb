import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";
import { dts } from "rolldown-plugin-dts";
import { COMMAND, PROGRAMS, publicEntries } from "./entries.mjs";
import { asciiOnly, lazyBuiltins } from "./load-time.mjs";
import { page } from "./page.mjs";
import { ROOT } from "./paths.mjs";
import { stallThreadAsText } from "./stall-thread.mjs";

/** Packages that are in our files, and so are no dependencies. What their licences ask for is a comment where they are imported. */
const BUNDLED = ["acorn", "@jridgewell/sourcemap-codec"];

/** All else that is bundled are files of ours. */
const external = (id) => !/^[./]/.test(id) && !/^[a-z]:[\\/]/i.test(id) && !BUNDLED.includes(id);

const INSPECTOR = /[\\/]inspector[\\/]/;

/**
 * What entries share is one file, and so are its types: each file costs time when it is loaded. The live view is apart, as it is loaded only where it is
 * wanted.
 */
const SHARED = {
  groups: [
    { name: "shared", test: (id) => !INSPECTOR.test(id), minShareCount: 2, priority: 2 },
    { name: "inspector", test: INSPECTOR, priority: 1 },
  ],
};

/** Builds everything into the folder. */
export async function bundle(folder) {
  const entries = publicEntries();
  const declarations = join(folder, "declarations");
  emitDeclarations(declarations);
  const plugins = [await stallThreadAsText(), asciiOnly];
  for (const each of apart({ ...entries, ...PROGRAMS })) {
    await code(each, [...plugins, lazyBuiltins], { dir: folder, format: "es" }, "js");
  }
  for (const each of apart(entries)) {
    await code(
      each,
      plugins,
      { dir: folder, format: "cjs", exports: "named", dynamicImportInCjs: false },
      "cjs",
    );
  }
  await code(COMMAND, [asciiOnly], { dir: folder, format: "es" }, "js", "cli-");
  chmodSync(join(folder, "cli.js"), 0o755);
  await types(entries, declarations, folder);
  await page(join(folder, "page"));
  rmSync(declarations, { recursive: true });
}

/** Groups of entries that share no file: what wants a queue loads no parser, and what wants frames no telemetry. */
function apart(entries) {
  const groupOf = (name) => (name === "frames-runtime" ? 0 : name.startsWith("frames") ? 1 : 2);
  return [0, 1, 2]
    .map((group) => Object.entries(entries).filter(([name]) => groupOf(name) === group))
    .filter((group) => group.length > 0)
    .map((group) => Object.fromEntries(group));
}

async function code(entries, plugins, output, extension, prefix = "") {
  const build = await rolldown({
    cwd: ROOT,
    input: inRoot(entries),
    external,
    platform: "node",
    tsconfig: join(ROOT, "tsconfig.build.json"),
    transform: { target: "node20.19" },
    plugins,
    onLog: failOnWarning,
  });
  await build.write({
    ...output,
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `chunks/${prefix}[name]-[hash].${extension}`,
    codeSplitting: SHARED,
    // Those that say something to users are in the types.
    comments: { legal: true, annotation: true, jsdoc: false },
  });
  await build.close();
}

/** The type checker writes them, file by file. It fails where types are wrong, and so does the build. */
function emitDeclarations(folder) {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const options = ["--emitDeclarationOnly", "--declarationMap", "false", "--outDir", folder];
  const project = join(ROOT, "tsconfig.build.json");
  const { status } = spawnSync(process.execPath, [tsc, "-p", project, ...options], { stdio: "inherit" });
  if (status !== 0) throw new Error("nothing was built: types are wrong");
}

/** Types are bundled once; those for `require` differ in what their files are called. */
async function types(entries, declarations, folder) {
  const written = Object.entries(entries).map(([name, source]) => [
    name,
    join(declarations, source.replace(/^src\//, "").replace(/\.ts$/, ".d.ts")),
  ]);
  const build = await rolldown({
    // Comments name files relative to this one: the same ones wherever the folder is.
    cwd: declarations,
    input: Object.fromEntries(written),
    external,
    plugins: dts({ dtsInput: true, sourcemap: false, tsconfig: false, oxc: false }),
    onLog: failOnWarning,
  });
  const aside = join(declarations, "bundled");
  await build.write({
    dir: aside,
    format: "es",
    entryFileNames: "[name].ts",
    chunkFileNames: "chunks/[name]-[hash].d.ts",
    codeSplitting: SHARED,
  });
  await build.close();
  for (const entry of readdirSync(aside, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const target = join(folder, file.slice(aside.length));
    const forRequire = readFileSync(file, "utf8").replaceAll(/(from "\.[^"]*)\.js"/g, '$1.cjs"');
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target.replace(/\.d\.ts$/, ".d.cts"), forRequire);
    renameSync(file, target);
  }
}

function inRoot(entries) {
  return Object.fromEntries(Object.entries(entries).map(([name, source]) => [name, join(ROOT, source)]));
}

/** How long plugins take on a busy machine says nothing of the result. */
function failOnWarning(level, log) {
  if (level === "warn" && log.code !== "PLUGIN_TIMINGS") throw new Error(log.message);
}
