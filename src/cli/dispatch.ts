import { parseArgs } from "node:util";
import { shown } from "../base/shown.js";
import { SCOPE } from "../telemetry/version.js";
import { type Command, CommandError, EXIT, type ExitCode, type Output } from "./command.js";
import { COMMANDS } from "./commands.js";

/** Runs `queuescope ARGS…`. Never rejects: what fails is a line on stderr and an exit code. */
export async function dispatch(args: readonly string[], output: Output): Promise<ExitCode> {
  try {
    const [name, ...rest] = args;
    if (name === "--version" || name === "-v") {
      output.print(SCOPE.version);
      return EXIT.ok;
    }
    if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
      output.print(overview());
      return EXIT.ok;
    }
    if (name === undefined) {
      output.note(overview());
      return EXIT.usage;
    }
    return await (name === "help" ? run(rest[0]!, ["--help"], output) : run(name, rest, output));
  } catch (error) {
    if (error instanceof CommandError) {
      output.note(`queuescope: ${error.message}`);
      return error.exitCode;
    }
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    output.note(`queuescope: ${what}`);
    return EXIT.failed;
  }
}

async function run(name: string, args: readonly string[], output: Output): Promise<ExitCode> {
  const listed = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (listed === undefined) {
    const what = name.startsWith("-") ? "option" : "command";
    const known = Object.keys(COMMANDS).join(", ");
    throw new CommandError(
      `unknown ${what} "${shown(name)}"; the commands are ${known}. See queuescope --help`,
      EXIT.usage,
    );
  }
  const { default: command } = await listed.load();
  const { values, positionals } = parsed(name, command, args);
  if (values.help === true) {
    output.print(command.help);
    return EXIT.ok;
  }
  return (await command.run(values, positionals, output)) ?? EXIT.ok;
}

function parsed(name: string, { options, maxArguments = 0 }: Command, args: readonly string[]) {
  const wrong = (what: string) => new CommandError(`${what}. See queuescope ${name} --help`, EXIT.usage);
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
      strict: true,
    });
    const extra = positionals[maxArguments];
    if (extra !== undefined) throw wrong(`${name}: unexpected argument "${shown(extra)}"`);
    return { values, positionals };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Node's advice on arguments that begin with a dash is of no use here, where none do.
    if (code?.startsWith("ERR_PARSE_ARGS_")) throw wrong(`${name}: ${message.split(". ")[0]}`);
    throw error;
  }
}

function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    "Usage: queuescope COMMAND [OPTION…]",
    "",
    ...rows,
    "",
    "queuescope COMMAND --help says more of one. --version prints the version.",
    "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 no such process, 4 not allowed, 5 can't be asked, 6 refused without --force,",
    "7 the process's event loop is blocked, 8 a queue is late (ps --check).",
  ].join("\n");
}
