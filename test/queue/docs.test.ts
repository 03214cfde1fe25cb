import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as errors from "../../src/base/errors.js";
import { QUEUE_OPTIONS } from "../../src/queue/options.js";

const page = readFileSync(new URL("../../docs/queues.md", import.meta.url), "utf8");
const source = ["options", "queue", "worker", "telemetry"]
  .map((layer) => readFileSync(new URL(`../../src/base/errors/${layer}.ts`, import.meta.url), "utf8"))
  .join("");

describe("docs/queues.md", () => {
  it.each(Object.keys(errors))("has %s, with its code", (name) => {
    const code = new RegExp(`class ${name}\\s+extends defineError\\(\\s*"${name}",\\s*"(\\w+)"`).exec(
      source,
    )?.[1];
    expect(page).toMatch(new RegExp(`^\\| \`${name}\`[^|]*\\| \`${code}\` \\|`, "m"));
  });

  it.each([...Object.keys(QUEUE_OPTIONS), "tiers", "agingMs", "order"])("has the option %s", (option) => {
    expect(page).toMatch(new RegExp(`^\\| \`${option}\\b`, "m"));
  });

  it.each(["evicted", "expired", "rejected", "shutdown"])("has the reason %s", (reason) => {
    expect(page).toContain(`| \`${reason}\` |`);
  });
});
