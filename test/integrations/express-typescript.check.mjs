import assert from "node:assert/strict";
import { test } from "node:test";
import { App, run } from "./app.mjs";
import { checkWeb } from "./web.mjs";

test("compiles", () => run("npm", "run", "build"));

checkWeb(["dist/app.js"]);

test("a readiness probe gets 200", async () => {
  const app = new App(["dist/app.js"]);
  const response = await fetch(`${await app.url()}/ready`);
  assert.equal(response.status, 200, await response.text());
  await app.stop();
});
