import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));

/** What can be run: `x.ts`, or `y/main.ts`. */
const runnable = readdirSync(EXAMPLES, { withFileTypes: true }).map((entry) =>
  entry.isDirectory() ? `${entry.name}/main.ts` : entry.name,
);

const tests = readdirSync(HERE)
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(`${HERE}${file}`, "utf8"))
  .join("\n");

it.each(runnable)("%s can be run, and a test runs it", (name) => {
  expect(existsSync(`${EXAMPLES}/${name}`)).toBe(true);
  expect(tests).toContain(`Example.run("${name}"`);
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
