import type { Source } from "../sources/source.js";
import { redisStatement, sqlStatement } from "../statements.js";
import type { TaskNotes } from "../task-notes.js";
import { callingTask, QueryWait } from "./query-wait.js";

/** What clients publish of a call: one object for all that happens to it. */
interface Call {
  readonly serverAddress?: unknown;
  readonly serverPort?: unknown;
  readonly command?: string;
  readonly args?: readonly unknown[];
  readonly batchSize?: number;
  readonly query?: unknown;
  [WAIT]?: QueryWait;
}

/** A property: a WeakMap's entries cost the collector several times as much. */
const WAIT: unique symbol = Symbol.for("queuescope.wait") as never;

function end(call: Call): void {
  call[WAIT]?.end();
}

/** The channels by which one kind of call is traced. */
function calls(name: string, begin: (call: Call, notes: TaskNotes) => QueryWait): Source {
  return {
    [`tracing:${name}:start`]: (call: Call) => {
      const notes = callingTask();
      if (notes !== undefined) call[WAIT] = begin(call, notes);
    },
    [`tracing:${name}:error`]: end,
    [`tracing:${name}:asyncEnd`]: end,
  };
}

function redisCommand(client: string) {
  return (call: Call, notes: TaskNotes) => {
    return new QueryWait(notes, client, "command", () => commandOf(call), call);
  };
}

/** Node-redis has the command among its arguments, too. */
function commandOf({ command = "", args = [] }: Call): string {
  const [first] = args;
  const isName = typeof first === "string" && first.toLowerCase() === command.toLowerCase();
  return redisStatement(command, isName ? args.slice(1) : args);
}

function redisBatch(client: string) {
  return (call: Call, notes: TaskNotes) => {
    return new QueryWait(notes, client, "command", () => `multi of ${call.batchSize}`, call);
  };
}

function mysqlQuery(call: Call, notes: TaskNotes): QueryWait {
  return new QueryWait(notes, "mysql2", "query", () => sqlStatement(String(call.query), "mysql"), call);
}

/** Clients that publish what they are asked for: ioredis from 5.11 on, `redis` from 5.12 on, mysql2 from 3.20 on. */
export const tracedClients: readonly Source[] = [
  calls("ioredis:command", redisCommand("ioredis")),
  calls("ioredis:batch", redisBatch("ioredis")),
  calls("node-redis:command", redisCommand("redis")),
  calls("node-redis:batch", redisBatch("redis")),
  calls("mysql2:query", mysqlQuery),
  calls("mysql2:execute", mysqlQuery),
];
