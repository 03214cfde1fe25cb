import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));

/**
 * What can be run: `x.ts`, `y/main.ts`, or, in a folder without a `main.ts`, each of its files. The recipes in `integrations` are projects
 * of their own: `.ci/run integrations` runs them, and `test/integrations/recipes.test.ts` sees that it does.
 */
const runnable = readdirSync(EXAMPLES, { withFileTypes: true }).flatMap((entry) => {
  if (entry.name === "integrations") return [];
  if (!entry.isDirectory()) return entry.name;
  if (existsSync(`${EXAMPLES}/${entry.name}/main.ts`)) return `${entry.name}/main.ts`;
  return readdirSync(`${EXAMPLES}/${entry.name}`).map((file) => `${entry.name}/${file}`);
});

const tests = readdirSync(HERE)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(`${HERE}${file}`, "utf8"))
  .join("\n");

it.each(runnable)("%s can be run, and a test runs it", (name) => {
  expect(existsSync(`${EXAMPLES}/${name}`)).toBe(true);
  // One by one, or all of a folder.
  const each = `Example.run(\`${name.split("/")[0]}/\${`;
  expect(tests.includes(`Example.run("${name}"`) || tests.includes(each)).toBe(true);
});

it.each(runnable)("%s imports the library as its users do", (name) => {
  const folder = name.endsWith("/main.ts") ? `${EXAMPLES}/${name.slice(0, -"/main.ts".length)}` : undefined;
  const files =
    folder === undefined
      ? [`${EXAMPLES}/${name}`]
      : readdirSync(folder)
          .filter((file) => file.endsWith(".ts"))
          .map((file) => `${folder}/${file}`);
  for (const file of files) expect(readFileSync(file, "utf8"), file).not.toMatch(/from "[^"]*(src|dist)\//);
});
