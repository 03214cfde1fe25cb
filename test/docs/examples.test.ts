import { expect, it } from "vitest";
import { DOORS, publicNames } from "./example-blocks.js";

it.each(Object.keys(DOORS))("everything that %s exports has an example in its docstring", async (door) => {
  const found = publicNames(door);
  const missing = found.filter(({ example }) => example === undefined).map(({ name }) => name);
  expect(missing).toEqual([]);
});

it.each(Object.entries(DOORS))(
  "the examples are looked for on everything that %s exports",
  async (door, file) => {
    const exported = Object.keys(await import(/* @vite-ignore */ `../../${file}`));
    expect(
      publicNames(door)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(exported.sort());
  },
);
