import { inspect } from "node:util";
import { replace } from "../replace.js";
import { redisStatement } from "../statements.js";
import type { TaskNotes } from "../task-notes.js";
import type { Wait } from "../wait.js";
import type { Patch } from "./modules.js";
import { callingTask, onBehalfOf, QueryWait } from "./query-wait.js";

const TASK: unique symbol = Symbol.for("queuescope.task") as never;

/** Parts of ioredis's own. */
interface Command {
  [TASK]?: TaskNotes;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly promise: Promise<unknown>;
  /** Whether it was published: as it is sent. Absent in versions that publish nothing. */
  readonly isTraced?: boolean;
}

interface Redis {
  readonly options?: { readonly host?: unknown; readonly port?: unknown; readonly path?: unknown };
}

/** A command that is kept until there is a connection: ioredis publishes it only when it is sent, in the context of the connection. */
class UnsentWait extends QueryWait {
  /** Weakly, because what it resolves may hold the task's context. */
  private readonly command: WeakRef<Command>;

  constructor(notes: TaskNotes, { options = {} }: Redis, command: Command) {
    const { name, args } = command;
    const { host, port, path } = options;
    super(notes, "ioredis", "command", () => redisStatement(name, args), {
      serverAddress: path ?? host,
      serverPort: port,
    });
    this.command = new WeakRef(command);
  }

  protected override state(): string {
    return "not sent, there is no connection";
  }

  override describe(): Wait | undefined {
    const command = this.command.deref();
    const isOver =
      command?.isTraced !== false ||
      !/\{\s*<pending>/.test(inspect(command.promise, { depth: 0, customInspect: false }));
    if (!isOver) return super.describe();
    this.end();
    return undefined;
  }
}

export const ioredis: Patch = {
  file: "/ioredis/built/Redis.js",
  apply: (exported) => {
    const { prototype } = (exported as { default: { prototype: object } }).default;
    return [
      replace(prototype, "sendCommand", (original) => {
        return function sendCommand(this: Redis, ...args: unknown[]): unknown {
          const [command] = args as [Command];
          const before = command[TASK];
          const notes = before ?? callingTask();
          if (notes === undefined) return Reflect.apply(original, this, args);
          const result = onBehalfOf(notes, () => Reflect.apply(original, this, args));
          if (command.isTraced === false && before === undefined) {
            command[TASK] = notes;
            new UnsentWait(notes, this, command);
          }
          return result;
        };
      }),
    ];
  },
};
