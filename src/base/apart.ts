import { AsyncLocalStorage, type AsyncResource } from "node:async_hooks";

/**
 * Whether a scope keeps what is set in it by `enterWith`. It does up to Node 22, where a resource holds the stores, and storages hand them on
 * by this method. To try it would be surer; but where it does, the first storage that is used makes all promises of the process slower, for
 * good. Bun has the method, too, and keeps nothing.
 */
const isKept = "_propagate" in AsyncLocalStorage.prototype && process.versions.bun === undefined;

export function scopesKeepStores(): boolean {
  return isKept;
}

/** Makes what inherits from a scope. Each scope has one, so that its heirs are of one shape, however many scopes take turns. */
const HEIR = Symbol("queuescope.heir");

type Scope = AsyncResource & { [HEIR]?: HeirClass | undefined };

interface HeirClass {
  new (): AsyncResource;
  prototype: AsyncResource;
}

/**
 * The scope, for one call: what that sets there by `enterWith`, as tracers and nestjs-cls do, is not there for the next one. Costs nothing
 * where scopes don't keep it (from Node 24 on); else an object that inherits from the scope: it has the scope's stores until it gets its own.
 */
export function apart(scope: Scope): AsyncResource {
  if (!isKept) return scope;
  scope[HEIR] ??= heirOf(scope);
  return new scope[HEIR]();
}

function heirOf(scope: AsyncResource): HeirClass {
  const Heir = function (this: Scope) {
    // Not its parent's: an heir is a scope, too.
    this[HEIR] = undefined;
  } as unknown as HeirClass;
  Heir.prototype = scope;
  return Heir;
}
