import { replace } from "../replace.js";
import { peerOf } from "../statements.js";
import type { Patch } from "./modules.js";
import { ConnectionWait, Holders, type PoolFacts } from "./pool-wait.js";
import { callingTask, onBehalfOf } from "./query-wait.js";

/** Parts of mysql2's own. */
interface Pool {
  readonly config?: {
    readonly connectionLimit?: number;
    readonly connectionConfig?: {
      readonly host?: unknown;
      readonly port?: unknown;
      readonly socketPath?: unknown;
    };
  };
  readonly _allConnections?: { readonly length: number };
  readonly _freeConnections?: { readonly length: number };
  readonly _connectionQueue?: { readonly length: number };
}

type Callback = (error: unknown, connection?: object) => unknown;

const pools = new WeakMap<Pool, PoolFacts>();

function factsOf(pool: Pool): PoolFacts {
  const known = pools.get(pool);
  if (known !== undefined) return known;
  const facts: PoolFacts = {
    label: () => {
      const { host, port, socketPath } = pool.config?.connectionConfig ?? {};
      const peer = typeof socketPath === "string" ? socketPath : peerOf(host, port);
      return `mysql2 pool${peer === undefined ? "" : ` at ${peer}`}`;
    },
    use: () => {
      const all = pool._allConnections?.length;
      const idle = pool._freeConnections?.length;
      return {
        inUse: all === undefined || idle === undefined ? undefined : all - idle,
        idle,
        waiting: pool._connectionQueue?.length,
        limit: pool.config?.connectionLimit,
      };
    },
    holders: new Holders(),
  };
  pools.set(pool, facts);
  return facts;
}

/** What it is asked for, it publishes; but not who has which connection, and a query that waited for one comes in the context of another task. */
function poolIn(file: string): Patch {
  return {
    file,
    apply: (exported) => {
      const { prototype } = exported as { prototype: object };
      // A subclass that has none of its own has what it inherits.
      if (!Object.hasOwn(prototype, "getConnection")) return [];
      return [
        replace(prototype, "getConnection", (original) => {
          return function getConnection(this: Pool, ...args: unknown[]): unknown {
            const notes = callingTask();
            const [callback] = args;
            if (notes === undefined || typeof callback !== "function")
              return Reflect.apply(original, this, args);
            const facts = factsOf(this);
            const wait = new ConnectionWait(notes, facts);
            const called: Callback = (error, connection) => {
              wait.end();
              if (connection !== undefined && connection !== null) facts.holders.took(connection, notes.task);
              return onBehalfOf(notes, () => (callback as Callback)(error, connection));
            };
            return Reflect.apply(original, this, [called, ...args.slice(1)]);
          };
        }),
        ...["releaseConnection", "_removeConnection"].map((name) =>
          replace(prototype, name, (original) => {
            return function gave(this: Pool, ...args: unknown[]): unknown {
              pools.get(this)?.holders.gave(args[0]);
              return Reflect.apply(original, this, args);
            };
          }),
        ),
      ];
    },
  };
}

export const mysql2: readonly Patch[] = [poolIn("/mysql2/lib/base/pool.js"), poolIn("/mysql2/lib/pool.js")];
