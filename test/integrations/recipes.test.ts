import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";

const RECIPES = new URL("../../examples/integrations/", import.meta.url);
const page = readFileSync(new URL("../../docs/integrations.md", import.meta.url), "utf8");
const recipes = readdirSync(RECIPES).filter((name) => statSync(new URL(name, RECIPES)).isDirectory());

/** The page's code blocks, by the file whose name follows the language: "```ts nest/src/main.ts". */
const blocks = new Map(
  [...page.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, file, code]) => [file!, code!]),
);

/** A recipe's own files; what npm and compilers put there is none. */
function filesOf(recipe: string): string[] {
  return readdirSync(new URL(recipe, RECIPES), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "package.json" && entry.name !== "package-lock.json")
    .map(({ parentPath, name }) => `${parentPath}/${name}`.split("/examples/integrations/")[1]!)
    .filter((file) => !/\/(node_modules|dist)\//.test(file));
}

function packageOf(recipe: string): Record<string, Record<string, string>> {
  return JSON.parse(readFileSync(new URL(`${recipe}/package.json`, RECIPES), "utf8"));
}

describe.each(recipes)("the recipe %s", (recipe) => {
  it.each(filesOf(recipe))("is on the page as it is run: %s", (file) => {
    expect(blocks.get(file)).toBe(readFileSync(new URL(file, RECIPES), "utf8"));
  });

  it("has an exact version of everything that it needs, and the page installs these", () => {
    const { dependencies, devDependencies } = packageOf(recipe);
    const needed = Object.entries({ ...dependencies, ...devDependencies });
    for (const [name, version] of needed) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    const names = needed.map(([name, version]) => (name === "queuescope" ? name : `${name}@${version}`));
    expect(page).toContain(`\nnpm install ${names.join(" ")}\n`);
  });

  it("is checked by what CI runs", () => {
    const check = new URL(`${recipe}.check.mjs`, import.meta.url);
    expect(readFileSync(check, "utf8")).toMatch(/test\(|check(Web|Bundle)\(/);
  });
});

it("the page has no code that isn't run", () => {
  expect([...blocks.keys()].filter((file) => !recipes.includes(file.split("/")[0]!))).toEqual([]);
});
