import { replace } from "../replace.js";
import { peerOf, sqlStatement } from "../statements.js";
import type { TaskNotes } from "../task-notes.js";
import type { Holder, Wait } from "../wait.js";
import { isToldOf } from "./connections.js";
import type { Patch } from "./modules.js";
import { ConnectionWait, Holders, type PoolFacts } from "./pool-wait.js";
import { callingTask, onBehalfOf, QueryWait } from "./query-wait.js";

/** Parts of pg's own: before 8.17 the two fields have no underscore, and from then on a warning is given when these are read. */
interface Client {
  readonly host?: unknown;
  readonly port?: unknown;
  readonly database?: unknown;
  readonly connection?: { readonly stream?: unknown };
  readonly _queryable?: boolean;
  readonly _ending?: boolean;
  readonly _queryQueue?: readonly Query[];
  readonly queryQueue?: readonly Query[];
  /** In its pipeline mode, those that are sent. */
  readonly _sentQueryQueue?: readonly Query[];
  readonly _activeQuery?: Query | null;
  readonly activeQuery?: Query | null;
}

/** The wait that a query is. It holds no query: what that calls back may hold the task's context. */
const WAIT: unique symbol = Symbol.for("queuescope.wait") as never;
/** The call that stands in a pool's line. Properties: a WeakMap's entries cost the collector several times as much. */
const CALL: unique symbol = Symbol.for("queuescope.call") as never;

interface Query {
  [WAIT]?: PgQueryWait;
  readonly text?: unknown;
  readonly cursor?: { readonly text?: unknown };
}

function queueOf(client: Client): readonly Query[] {
  return ("_queryQueue" in client ? client._queryQueue : client.queryQueue) ?? [];
}

/** What a call may just have added to, the last of each. */
function newestOf(client: Client): readonly (Query | undefined)[] {
  return [queueOf(client).at(-1), client._sentQueryQueue?.at(-1), activeOf(client)];
}

function activeOf(client: Client): Query | undefined {
  return ("_activeQuery" in client ? client._activeQuery : client.activeQuery) ?? undefined;
}

const BEGIN = /^\s*(?:begin|start\s+transaction)\b/i;
const END = /^\s*(?:commit|end|rollback(?!\s+(?:work\s+|transaction\s+)?to\b))\b/i;

/** Clients with a transaction that a task has begun. */
const transactions = new Holders();

function noteTransaction(client: Client, text: unknown, notes: TaskNotes | undefined): void {
  if (typeof text !== "string") return;
  if (BEGIN.test(text)) transactions.took(client, notes?.task);
  else if (END.test(text)) transactions.gave(client);
}

/** Whether its transaction may have what the other one waits for. */
function isRival(client: Client, other: Client): boolean {
  if (client._ending || client._queryable === false) transactions.gave(client);
  else if (client !== other)
    return client.host === other.host && client.port === other.port && client.database === other.database;
  return false;
}

/** Over when the client has forgotten its query: to listen to the promise would hide its rejection. */
class PgQueryWait extends QueryWait {
  constructor(
    notes: TaskNotes,
    private readonly of: Client,
  ) {
    super(notes, "pg", "query", () => textOf(this.query), { serverAddress: of.host, serverPort: of.port });
  }

  get isOver(): boolean {
    return this.query === undefined;
  }

  private get query(): Query | undefined {
    const { of } = this;
    const active = activeOf(of);
    if (active !== undefined && active[WAIT] === this) return active;
    const isMine = (query: Query) => query[WAIT] === this;
    return of._sentQueryQueue?.find(isMine) ?? queueOf(of).find(isMine);
  }

  protected override state(): string | undefined {
    const { of } = this;
    const position = queueOf(of).findIndex((query) => query[WAIT] === this);
    if (position === -1) return undefined;
    const ahead = position + (of._sentQueryQueue?.length ?? 0) + (activeOf(of) === undefined ? 0 : 1);
    return `behind ${ahead} others of its connection`;
  }

  /** Which tasks have begun a transaction, and not ended it: if it waits for a lock, one of them has that, unless another process has it. */
  protected override holders(): readonly Holder[] {
    return transactions.list((other) => isRival(other as Client, this.of));
  }

  override describe(): Wait | undefined {
    if (!this.isOver) return super.describe();
    this.end();
    return undefined;
  }
}

function textOf(query: Query | undefined): string {
  return sqlStatement(String(query?.text ?? query?.cursor?.text ?? ""), "postgres");
}

/** How many of a task's latest waits are looked at for queries that are over: it was not told of their end. */
const LOOKED_AT = 3;

function forgetOld(notes: TaskNotes): void {
  let open = notes.pending.last;
  for (let i = 0; open !== undefined && i < LOOKED_AT; i++) {
    const { previous } = open;
    if (open instanceof PgQueryWait && open.isOver) open.end();
    open = previous;
  }
}

const client: Patch = {
  file: "/pg/lib/client.js",
  apply: (exported) => [
    replace((exported as { prototype: object }).prototype, "query", (original) => {
      return function query(this: Client, ...args: unknown[]): unknown {
        const notes = callingTask();
        const [config] = args as [string | Query | undefined];
        noteTransaction(this, typeof config === "string" ? config : config?.text, notes);
        if (notes === undefined) return Reflect.apply(original, this, args);
        isToldOf(this.connection?.stream);
        const before = newestOf(this);
        const result = Reflect.apply(original, this, args);
        const query = newestOf(this).find((each) => each !== undefined && !before.includes(each));
        if (query !== undefined && query[WAIT] === undefined) {
          forgetOld(notes);
          query[WAIT] = new PgQueryWait(notes, this);
        }
        return result;
      };
    }),
  ],
};

/** Parts of pg-pool's own. */
interface Pool {
  readonly options: { readonly max?: number; readonly host?: unknown; readonly port?: unknown };
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly _clients?: readonly Client[];
  readonly _pendingQueue?: readonly Item[];
}

const pools = new WeakMap<Pool, PoolFacts>();

/** A call for a connection: it waits in the pool's line, or until a new client is connected. */
class Call {
  item: Item | undefined = undefined;
  client: Client | undefined = undefined;
  readonly wait: ConnectionWait;

  constructor(
    private readonly pool: Pool,
    readonly notes: TaskNotes,
  ) {
    this.wait = new ConnectionWait(notes, factsOf(pool), () => this.isOver);
  }

  private get isOver(): boolean {
    const { pool, item, client } = this;
    if (client !== undefined) return !pool._clients?.includes(client);
    return item === undefined || !pool._pendingQueue?.includes(item);
  }
}

/** What waits in a pool's line. */
interface Item {
  [CALL]?: Call;
}

/** A call that is not in the line yet. */
let starting: Call | undefined;

function factsOf(pool: Pool): PoolFacts {
  const known = pools.get(pool);
  if (known !== undefined) return known;
  const facts: PoolFacts = {
    label: () => {
      const [first] = pool._clients ?? [];
      const peer = peerOf(first?.host ?? pool.options.host, first?.port ?? pool.options.port);
      return `pg pool${peer === undefined ? "" : ` at ${peer}`}`;
    },
    use: () => ({
      inUse: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      limit: pool.options.max,
    }),
    holders: new Holders(),
  };
  pools.set(pool, facts);
  return facts;
}

const pool: Patch = {
  file: "/pg-pool/index.js",
  apply: (exported) => {
    const { prototype } = exported as { prototype: object };
    return [
      replace(prototype, "connect", (original) => {
        return function connect(this: Pool, ...args: unknown[]): unknown {
          const notes = callingTask();
          if (notes === undefined) return Reflect.apply(original, this, args);
          const call = new Call(this, notes);
          const before = starting;
          const length = this._pendingQueue?.length ?? 0;
          starting = call;
          try {
            return Reflect.apply(original, this, args);
          } finally {
            const queue = this._pendingQueue ?? [];
            if (starting === call && queue.length > length) {
              call.item = queue.at(-1)!;
              call.item[CALL] = call;
            }
            starting = before;
            if (call.item === undefined) call.wait.end();
          }
        };
      }),
      replace(prototype, "newClient", (original) => {
        return function newClient(this: Pool, ...args: unknown[]): unknown {
          const [item] = args as [Item];
          const call = starting ?? item[CALL];
          starting = undefined;
          if (call === undefined) return Reflect.apply(original, this, args);
          call.item = item;
          item[CALL] = call;
          const result = Reflect.apply(original, this, args);
          call.client = this._clients?.at(-1);
          return result;
        };
      }),
      replace(prototype, "_acquireClient", (original) => {
        return function acquire(this: Pool, ...args: unknown[]): unknown {
          const [taken, item] = args as [object, Item];
          const call = item[CALL];
          call?.wait.end();
          factsOf(this).holders.took(taken, call?.notes.task);
          return onBehalfOf(call?.notes, () => Reflect.apply(original, this, args));
        };
      }),
      ...["_release", "_remove"].map((name) =>
        replace(prototype, name, (original) => {
          return function gave(this: Pool, ...args: unknown[]): unknown {
            pools.get(this)?.holders.gave(args[0]);
            if (name === "_remove") transactions.gave(args[0]);
            // What it does then, to connections and timers, is not the task's.
            return onBehalfOf(undefined, () => Reflect.apply(original, this, args));
          };
        }),
      ),
    ];
  },
};

export const pg: readonly Patch[] = [client, pool];
