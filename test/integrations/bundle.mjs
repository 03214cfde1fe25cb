// The check of a recipe that makes one file of an app.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "./app.mjs";

export function checkBundle() {
  test("the bundle runs where nothing is installed", async () => {
    await run("npm", "run", "build");
    const elsewhere = mkdtempSync(join(tmpdir(), "bundle-"));
    try {
      cpSync("dist", elsewhere, { recursive: true });
      const output = await run(process.execPath, join(elsewhere, "app.cjs"));
      assert.equal(output, "book shipped for request-1\n1 done\n");
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
}
