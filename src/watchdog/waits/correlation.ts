import type { AsyncLocalStorage } from "node:async_hooks";
import { AsyncLocalStorage as Storage } from "node:async_hooks";
import { shared } from "../../shared.js";

/** The one storage of this library: there is a sheet in what it holds while somebody looks on at a task. */
export const correlation = shared("correlation", () => new Storage()) as AsyncLocalStorage<{
  readonly sheet?: object | undefined;
}>;
