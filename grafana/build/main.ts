import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { files } from "./files.js";

/** Writes the dashboards; with `--check`, only says which are not what this program makes. */
const check = process.argv.includes("--check");
for (const [name, text] of files()) {
  const file = fileURLToPath(new URL(`../dashboards/${name}`, import.meta.url));
  if (!check) writeFileSync(file, text);
  else if (read(file) !== text) {
    console.error(`grafana/dashboards/${name} is out of date: npm run dashboards`);
    process.exitCode = 1;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
