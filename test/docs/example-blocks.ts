import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The doors of the package, by what is imported. */
export const DOORS: Readonly<Record<string, string>> = {
  queuescope: "src/index.ts",
  "queuescope/adapter": "src/adapter.ts",
  "queuescope/amqplib": "src/amqplib.ts",
  "queuescope/bullmq": "src/bullmq.ts",
  "queuescope/checks": "src/checks.ts",
  "queuescope/prom-client": "src/prom-client.ts",
  "queuescope/sdk": "src/sdk.ts",
  "queuescope/testing": "src/testing.ts",
  "queuescope/threads": "src/threads.ts",
};

/** A class, function or constant that users import. */
export interface PublicName {
  readonly door: string;
  readonly name: string;
  /** Where it is declared. */
  readonly file: string;
  /** The code of the `@example` above it; undefined where there is none. */
  readonly example: string | undefined;
}

const DECLARATION = /^export (?:declare )?(?:abstract )?(?:async )?(?:class|function|const) (\w+)/gm;

/** What a door exports besides types, its own and that of the files that it names. */
export function publicNames(door: string): PublicName[] {
  // Of an overloaded function the first declaration has the example.
  const byName = new Map<string, PublicName>();
  for (const found of exportsOf(DOORS[door]!)) {
    if (!byName.has(found.name)) byName.set(found.name, { door, ...found });
  }
  return [...byName.values()];
}

/** The types that a door exports. */
export function typesOf(door: string): string[] {
  const source = readFileSync(DOORS[door]!, "utf8");
  const declared = [...source.matchAll(/^export interface (\w+)/gm)].map(([, name]) => name!);
  const named = [...source.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, type, list]) =>
    list!
      .split(",")
      .map((each) => each.trim())
      .filter((each) => each !== "" && (type !== undefined || each.startsWith("type ")))
      .map((each) => each.replace(/^type /, "").replace(/^\w+ as /, "")),
  );
  return [...declared, ...named];
}

function exportsOf(file: string): Omit<PublicName, "door">[] {
  const source = readFileSync(file, "utf8");
  const found = [...source.matchAll(DECLARATION)].map(({ 1: name, index }) => ({
    name: name!,
    file,
    example: exampleAbove(source.slice(0, index)),
  }));
  for (const [, names, from] of source.matchAll(/^export (\*|\{[^}]*\}) from "(\.[^"]+)";/gm)) {
    const there = exportsOf(join(dirname(file), from!.replace(/\.js$/, ".ts")));
    if (names === "*") found.push(...there);
    else found.push(...there.filter(({ name }) => valuesIn(names!).includes(name)));
  }
  return found;
}

function valuesIn(names: string): string[] {
  return names
    .replace(/[{}]/g, "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => !each.startsWith("type "));
}

/** Of the docstring that ends there. */
function exampleAbove(source: string): string | undefined {
  const [doc] = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*(?:\/\/[^\n]*\s*)*$/.exec(source) ?? [];
  const [, example] = /\n \* @example\n([\s\S]*?)\n \*(?:\/| @)/.exec(doc ?? "") ?? [];
  return example?.replace(/^ \* ?/gm, "");
}

/** The example as a module of its own: it need not import what it shows. */
export function asModule(
  example: string,
  names: readonly PublicName[],
  types: ReadonlyMap<string, string>,
): string {
  const imported = new Set(
    [...example.matchAll(/^import (?:\w+|\{([^}]*)\})/gm)].flatMap(([, list]) => valuesIn(list ?? "")),
  );
  const isUsed = (name: string) => !imported.has(name) && new RegExp(`\\b${name}\\b`).test(example);
  const lines = new Map<string, string>();
  for (const { name, door } of names) if (isUsed(name)) lines.set(name, `import { ${name} } from "${door}";`);
  for (const [name, door] of types)
    if (isUsed(name)) lines.set(name, `import type { ${name} } from "${door}";`);
  return `${[...lines.values()].join("\n")}\n${example}\nexport {};\n`;
}
