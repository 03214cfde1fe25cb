import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const page = readFileSync("docs/kubernetes.md", "utf8");
const blocks = [...page.matchAll(/```(\w+)(?: (\S+))?\n(.*?)```/gs)].map(([, language, file, text]) => ({
  language: language!,
  file,
  text: text!,
}));
const example = readFileSync("examples/kubernetes.ts", "utf8");

it("shows the example, which is run by another test, and no other code", () => {
  const code = blocks.filter(({ language }) => language === "ts").map(({ text }) => text);
  expect(code).toEqual([example.slice(example.indexOf("\n") + 1)]);
});

describe("its manifests are parts of those that are checked:", () => {
  const manifests = blocks.filter(({ language }) => language === "yaml");

  it.each(manifests.map(({ file, text }) => [file!, text.split("\n")[0]!, text] as const))(
    "%s, %s",
    (file, _, text) => {
      const lines = readFileSync(`grafana/kubernetes/${file}`, "utf8").split("\n");
      const starts = lines.flatMap((line, i) => (line.trim() === text.split("\n")[0] ? [i] : []));
      const count = text.trimEnd().split("\n").length;
      expect(starts.map((start) => dedented(lines.slice(start, start + count)))).toContainEqual(
        text.trimEnd().split("\n"),
      );
    },
  );
});

it("names files that there are, and all of them", () => {
  const named = [...page.matchAll(/`([\w-]+\.yaml)`/g)].map(([, file]) => file!);
  const there = readdirSync("grafana/kubernetes").filter((file) => file.endsWith(".yaml"));
  expect([...new Set(named)].sort()).toEqual(there.sort());
  for (const [, path] of page.matchAll(/\]\(([^)#]+)(?:#[^)]+)?\)/g))
    expect(existsSync(`docs/${path}`), path).toBe(true);
});

it("gives a pod more time than the example's drain and callbacks may take", () => {
  const manifest = readFileSync("grafana/kubernetes/deployment.yaml", "utf8");
  const graceMs = Number(/terminationGracePeriodSeconds: (\d+)/.exec(manifest)![1]) * 1_000;
  const drain = example.slice(example.indexOf("drainOnSignals(["));
  const msOf = (name: string) =>
    Number(new RegExp(`${name}: ([\\d_]+)`).exec(drain)![1]!.replaceAll("_", ""));
  expect(graceMs).toBeGreaterThan(msOf("timeoutMs") + 2 * msOf("callbackTimeoutMs"));
});

/** As if it stood at the left, which a list's dash also moves. */
function dedented(lines: readonly string[]): string[] {
  const indent = lines[0]!.search(/\S/);
  return lines.map((line) => line.slice(indent));
}
