import { replace } from "../replace.js";
import type { TaskNotes } from "../task-notes.js";
import type { Patch } from "./modules.js";
import { ConnectionWait, Holders, type PoolFacts } from "./pool-wait.js";
import { callingTask } from "./query-wait.js";

/** Parts of tarn's own, the pool of knex. */
interface TarnPool {
  readonly max?: number;
  numUsed(): number;
  numFree(): number;
  numPendingAcquires(): number;
}

/** Parts of generic-pool's own. */
interface GenericPool {
  readonly max?: number;
  readonly borrowed: number;
  readonly available: number;
  readonly pending: number;
}

const pools = new WeakMap<object, PoolFacts>();

function factsOf(pool: object, name: string, use: PoolFacts["use"]): PoolFacts {
  const known = pools.get(pool);
  if (known !== undefined) return known;
  const facts: PoolFacts = { label: () => name, use, holders: new Holders() };
  pools.set(pool, facts);
  return facts;
}

/** The task waits from now on, until the promise of a connection that this is called with is settled; then it has that. */
function noting(notes: TaskNotes, facts: PoolFacts): (promise: Promise<object>) => Promise<object> {
  const wait = new ConnectionWait(notes, facts);
  return (promise) =>
    promise.then(
      (taken) => {
        wait.end();
        facts.holders.took(taken, notes.task);
        return taken;
      },
      (error: unknown) => {
        wait.end();
        throw error;
      },
    );
}

/** Called with what goes back to the pool. */
function giving(prototype: object, name: string): (() => void) | undefined {
  return replace(prototype, name, (original) => {
    return function gave(this: object, ...args: unknown[]): unknown {
      pools.get(this)?.holders.gave(args[0]);
      return Reflect.apply(original, this, args);
    };
  });
}

const tarn: Patch = {
  file: "/tarn/dist/Pool.js",
  apply: (exported) => {
    const { prototype } = (exported as { Pool: { prototype: object } }).Pool;
    return [
      replace(prototype, "acquire", (original) => {
        return function acquire(this: TarnPool, ...args: unknown[]): unknown {
          const notes = callingTask();
          if (notes === undefined) return Reflect.apply(original, this, args);
          const facts = factsOf(this, "tarn pool", () => ({
            inUse: this.numUsed(),
            idle: this.numFree(),
            waiting: this.numPendingAcquires(),
            limit: this.max,
          }));
          const given = noting(notes, facts);
          const pending = Reflect.apply(original, this, args) as { promise: Promise<object> };
          pending.promise = given(pending.promise);
          return pending;
        };
      }),
      giving(prototype, "release"),
    ];
  },
};

const generic: Patch = {
  file: "/generic-pool/lib/Pool.js",
  apply: (exported) => {
    const { prototype } = exported as { prototype: object };
    return [
      replace(prototype, "acquire", (original) => {
        return function acquire(this: GenericPool, ...args: unknown[]): unknown {
          const notes = callingTask();
          if (notes === undefined) return Reflect.apply(original, this, args);
          const facts = factsOf(this, "generic-pool", () => ({
            inUse: this.borrowed,
            idle: this.available,
            waiting: this.pending,
            limit: this.max,
          }));
          const given = noting(notes, facts);
          return given(Reflect.apply(original, this, args) as Promise<object>);
        };
      }),
      giving(prototype, "release"),
      giving(prototype, "destroy"),
    ];
  },
};

export const otherPools: readonly Patch[] = [tarn, generic];
