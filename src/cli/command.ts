import type { ParseArgsConfig } from "node:util";

/** Exit codes of `queuescope`, for scripts. They are a contract. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** Something failed that none of the others names. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** There is no such process, or it ended meanwhile. */
  noProcess: 3,
  /** The system, or the process, does not allow it. */
  notAllowed: 4,
  /** The process can't be asked: it is no Node process, say, or does not answer. */
  unreachable: 5,
  /** It was refused because it would cost the process too much; `--force` does it. */
  refused: 6,
  /** The event loop of the process is blocked. */
  blocked: 7,
  /** A queue is beyond its SLA, and that was asked. */
  late: 8,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What ends a command: a line on stderr that says what to do, and an exit code. */
export class CommandError extends Error {
  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT.failed,
  ) {
    super(message);
    this.name = "CommandError";
  }
}

/** Where a command writes. */
export interface Output {
  /** The result. Adds a line feed. */
  print(text: string): void;
  /** What is said beside the result, to a person. Adds a line feed. */
  note(text: string): void;
}

type Options = NonNullable<ParseArgsConfig["options"]>;
export type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/** A subcommand: the default export of a file in `commands`, which is loaded only to run it or to describe it. */
export interface Command {
  /** What `queuescope NAME --help` prints. */
  readonly help: string;
  /** As `parseArgs` of `node:util` takes them. `--help` is there for every command. */
  readonly options?: Options;
  /** How many arguments without a name it may have. Default: 0. */
  readonly maxArguments?: number;
  /** Returns the exit code, which is 0 where it returns nothing. What it throws ends it: a {@link CommandError}, or else a fault. */
  run(values: Values, args: readonly string[], output: Output): Promise<ExitCode | undefined>;
}
