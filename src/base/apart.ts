import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

let isKept: boolean | undefined;

/** Whether a scope keeps what is set in it by `enterWith`. It does up to Node 22, where a resource holds the stores. */
export function scopesKeepStores(): boolean {
  if (isKept !== undefined) return isKept;
  const storage = new AsyncLocalStorage<boolean>();
  const scope = new AsyncResource("queuescope.apart", { requireManualDestroy: true });
  scope.runInAsyncScope(() => storage.enterWith(true));
  isKept = scope.runInAsyncScope(() => storage.getStore()) === true;
  storage.disable();
  return isKept;
}

/**
 * The scope, for one call: what that sets there by `enterWith`, as tracers and nestjs-cls do, is not there for the next one. Costs nothing
 * where scopes don't keep it (from Node 24 on); else an object that inherits from the scope: it has the scope's stores until it gets its own.
 */
export function apart(scope: AsyncResource): AsyncResource {
  if (!scopesKeepStores()) return scope;
  if (scope !== lastScope) {
    const Heir = function (this: unknown) {} as unknown as HeirClass;
    Heir.prototype = scope;
    lastScope = scope;
    LastHeir = Heir;
  }
  return new LastHeir!();
}

interface HeirClass {
  new (): AsyncResource;
  prototype: AsyncResource;
}

/** Most processes have one scope that is used again and again. */
let lastScope: AsyncResource | undefined;
let LastHeir: HeirClass | undefined;
