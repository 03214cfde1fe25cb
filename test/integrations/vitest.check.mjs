import { test } from "node:test";
import { run } from "./app.mjs";

test("the tests of the recipe pass", () => run("npm", "test"));
