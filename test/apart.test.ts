import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { expect, it } from "vitest";
import { apart } from "../src/base/apart.js";

const storage = new AsyncLocalStorage<string>();
const scopeWith = (store: string) => storage.run(store, () => new AsyncResource("test"));

/** What a call finds there, which then sets something else. */
function found(scope: AsyncResource): string | undefined {
  return apart(scope).runInAsyncScope(() => {
    const store = storage.getStore();
    storage.enterWith("another's");
    return store;
  });
}

it("scopes that take turns have their own stores at each call, and nothing that a call has set", () => {
  const [a, b] = [scopeWith("a"), scopeWith("b")];
  expect([a, b, a, a, b].map(found)).toEqual(["a", "b", "a", "a", "b"]);
});

it("what a call has set is there for calls apart from its own scope", () => {
  const heir = apart(scopeWith("a"));
  heir.runInAsyncScope(() => storage.enterWith("its own"));
  const isKept = heir.runInAsyncScope(() => storage.getStore());
  expect([found(heir), found(heir)]).toEqual([isKept, isKept]);
});
