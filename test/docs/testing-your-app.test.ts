import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const page = readFileSync(new URL("../../docs/testing-your-app.md", import.meta.url), "utf8");
const blocks = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);

it.each(["fake-timers", "fake-clock", "node-test"])("shows %s.test.ts, which is run beside this", (name) => {
  const code = readFileSync(new URL(`./${name}.test.ts`, import.meta.url), "utf8");
  expect(blocks).toContain(
    code
      .replaceAll('"../../src/index.js"', '"queuescope"')
      .replaceAll('"../../src/testing.js"', '"queuescope/testing"')
      .replace('import { it } from "vitest";\n', "")
      .replace(
        'import { mock } from "node:test";',
        name === "node-test" ? 'import { it, mock } from "node:test";' : "$&",
      ),
  );
});

it("shows nothing that isn't run", () => {
  expect(blocks).toHaveLength(3);
});
