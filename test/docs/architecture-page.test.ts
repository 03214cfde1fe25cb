import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const page = readFileSync("docs/architecture.md", "utf8");
const named = [...page.matchAll(/\b(?:src|test|bench)\/[\w./-]*\w/g)].map(([path]) => path);

it("every place that the page on the architecture names is there", () => {
  const missing = named.filter((path) => !existsSync(path) && !existsSync(`${path}.ts`));
  expect(missing).toEqual([]);
});

it("the page on the architecture names every room of the library", () => {
  const rooms = readdirSync("src", { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !["testing"].includes(entry.name))
    .map(({ name }) => `src/${name}`);
  expect(rooms.filter((room) => !named.some((path) => path.startsWith(room)))).toEqual([]);
});
