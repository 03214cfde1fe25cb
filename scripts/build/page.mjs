import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";
import { asciiOnly } from "./load-time.mjs";
import { ROOT } from "./paths.mjs";

const SOURCE = join(ROOT, "src/page");
const require = createRequire(import.meta.url);

/** In the order in which later ones win. */
const STYLES = ["base", "overview", "queue", "reports", "narrow"];

/** What is in the page that isn't ours, with its licence. */
const OTHERS = ["preact", "uplot"];

/**
 * Builds the page of the live view: `index.html`, a script and a style sheet. Their names tell their content, so that a browser may keep them; no
 * script and no style is in the page itself, which a strict content security policy forbids.
 */
export async function page(folder) {
  checkTypes();
  mkdirSync(folder, { recursive: true });
  const named = (name, extension, text) => {
    const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
    const file = `${name}-${hash}.${extension}`;
    writeFileSync(join(folder, file), text);
    return file;
  };
  const script = named("main", "js", await bundled());
  const style = named("style", "css", styles());
  const html = readFileSync(join(SOURCE, "index.html"), "utf8");
  writeFileSync(join(folder, "index.html"), html.replace("style.css", style).replace("main.js", script));
  writeFileSync(join(folder, "licenses.txt"), licenses());
}

/** They have the browser's types, which are no part of the project's other sources. */
function checkTypes() {
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", SOURCE], { stdio: "inherit" });
  if (status !== 0) throw new Error("nothing was built: types of the page are wrong");
}

async function bundled() {
  const build = await rolldown({
    input: join(SOURCE, "main.tsx"),
    platform: "browser",
    tsconfig: join(SOURCE, "tsconfig.json"),
    transform: { target: "es2022" },
    plugins: [asciiOnly],
    onLog: (level, log) => {
      if (level === "warn" && log.code !== "PLUGIN_TIMINGS") throw new Error(log.message);
    },
  });
  const { output } = await build.generate({ format: "es", minify: true, comments: false });
  await build.close();
  if (output.length !== 1) throw new Error("the page's script is more than one file");
  return output[0].code;
}

/** One sheet, without comments and the space that is for readers. */
function styles() {
  return STYLES.map((name) => readFileSync(join(SOURCE, "style", `${name}.css`), "utf8"))
    .join("\n")
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ ?([{};,]) ?/g, "$1")
    .replaceAll(/: /g, ":")
    .replaceAll(";}", "}")
    .trim();
}

function licenses() {
  return OTHERS.map((name) => {
    const root = dirname(require.resolve(`${name}/package.json`));
    const file = readdirSync(root).find((each) => /^licen[cs]e/i.test(each));
    return `${name}\n\n${readFileSync(join(root, file), "utf8").trim()}\n`;
  }).join("\n\n");
}
