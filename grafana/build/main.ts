import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { files } from "./files.js";
import { kubernetesFiles } from "./kubernetes/files.js";
import { mixinFiles } from "./mixin/files.js";

const FOLDERS: Readonly<Record<string, () => Map<string, string>>> = {
  dashboards: files,
  mixin: mixinFiles,
  kubernetes: kubernetesFiles,
};

/**
 * Writes the dashboards, and what is made of them and of the rules for others; with `--check`, only says which are not what this program
 * makes.
 */
const check = process.argv.includes("--check");
for (const [folder, made] of Object.entries(FOLDERS)) {
  for (const [name, text] of made()) {
    const file = fileURLToPath(new URL(`../${folder}/${name}`, import.meta.url));
    if (!check) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    } else if (read(file) !== text) {
      console.error(`grafana/${folder}/${name} is out of date: npm run dashboards`);
      process.exitCode = 1;
    }
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
