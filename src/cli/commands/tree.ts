import { awaitTree, heapBytes, standStillMs } from "../../await-tree/await-tree.js";
import { type Blocked, blocked } from "../../await-tree/blocked.js";
import { DevToolsError } from "../../await-tree/devtools.js";
import { fileText, treeText } from "../../await-tree/text.js";
import { shown } from "../../base/shown.js";
import { type Attached, attach } from "../attach/attach.js";
import { processFacts } from "../attach/process-facts.js";
import { type Command, CommandError, EXIT, type ExitCode, type Output } from "../command.js";
import { SIGNALS } from "../until-signal.js";

/** A larger heap is looked at only with `--force`, in bytes. */
const MAX_HEAP = 64 * 2 ** 20;
/** What a correlation ID is called in an async context, unless `--id` says otherwise. */
const ID_NAMES = ["correlationId", "requestId", "reqId", "traceId", "jobId", "id"];

const HELP = `Usage: queuescope tree [OPTION…] PID

Shows the line at which each async function of a Node process waits, innermost first, as a tree by task. The process needs no
preparation. It stands still meanwhile, for some 70 ms per MB of heap; how long that will be is said before.

  --json       one JSON document, see docs/tree.md
  --all        also functions of Node and of packages
  --force      also with a heap of more than 64 MB
  --id NAME    what the correlation ID is called in an AsyncLocalStorage's store; can be given again
               (default: ${ID_NAMES.join(", ")})
  -h, --help

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 no such process, 4 not allowed, 5 can't be asked, 6 heap too large without
--force, 7 its event loop is blocked (the line at which it is is printed).`;

const tree: Command = {
  help: HELP,
  options: {
    json: { type: "boolean" },
    all: { type: "boolean" },
    force: { type: "boolean" },
    id: { type: "string", multiple: true },
  },
  maxArguments: 1,
  async run(values, [pid], output) {
    const attached = await attach(readPid(pid));
    const stop = () => attached.release().finally(() => process.exit(130));
    for (const signal of SIGNALS) process.once(signal, stop);
    try {
      return await show(attached, Number(pid), output, {
        json: values.json === true,
        all: values.all === true,
        force: values.force === true,
        idNames: (values.id as string[] | undefined) ?? ID_NAMES,
      });
    } catch (error) {
      if (!(error instanceof DevToolsError)) throw error;
      const isGone = processFacts(Number(pid)) === undefined;
      if (isGone) throw new CommandError(`process ${pid} ended meanwhile`, EXIT.noProcess);
      throw new CommandError(
        `process ${pid} closed its inspector, or does not know what was asked: ${error.message}`,
        EXIT.unreachable,
      );
    } finally {
      await attached.release();
      for (const signal of SIGNALS) process.off(signal, stop);
    }
  },
};

export default tree;

interface Options {
  readonly json: boolean;
  readonly all: boolean;
  readonly force: boolean;
  readonly idNames: readonly string[];
}

async function show(attached: Attached, pid: number, output: Output, options: Options): Promise<ExitCode> {
  const { devTools, wasOpen, others = 0 } = attached;
  const { json, all, force, idNames } = options;
  if (others > 0) output.note(`a debugger is attached to process ${pid}: it stays so`);
  else if (wasOpen) output.note(`the inspector of process ${pid} was open: it stays so`);
  const folder = process.cwd();
  const held = await blocked(devTools, others === 0);
  if (held !== undefined) {
    output.print(
      json
        ? JSON.stringify({ version: 1, pid, blocked: held }, undefined, 2)
        : blockedText(pid, held, folder),
    );
    return EXIT.blocked;
  }
  const bytes = await heapBytes(devTools);
  const size = `${Math.ceil(bytes / 2 ** 20)} MB of heap`;
  const estimate = seconds(standStillMs(bytes));
  if (bytes > MAX_HEAP && !force) {
    throw new CommandError(
      `process ${pid} has ${size}: it would stand still for about ${estimate}, and take up to ten times as much memory meanwhile. ` +
        "--force does it all the same",
      EXIT.refused,
    );
  }
  output.note(`process ${pid} has ${size}: it will stand still for about ${estimate}`);
  const seen = await awaitTree(devTools, { all, idNames, heapBytes: bytes, mayPause: others === 0 });
  await attached.release();
  output.note(`it stood still for ${seconds(seen.stoodStillMs)}`);
  output.print(json ? JSON.stringify({ pid, ...seen }, undefined, 2) : treeText(seen, folder));
  return EXIT.ok;
}

function readPid(text: string | undefined): number {
  if (text === undefined)
    throw new CommandError("tree: which process? Give its PID. See queuescope tree --help", EXIT.usage);
  const pid = Number(text);
  if (!/^\d+$/.test(text) || pid === 0 || !Number.isSafeInteger(pid)) {
    throw new CommandError(`tree: "${shown(text)}" is no PID, which is a whole number from 1`, EXIT.usage);
  }
  return pid;
}

function blockedText(pid: number, { by, stack }: Blocked, folder: string): string {
  const what = `the event loop of process ${pid} is blocked`;
  if (by === "paused") return `process ${pid} is paused by a debugger${stackText(stack, folder)}`;
  if (by === "native")
    return `${what} in native code, which can't be interrupted (a synchronous call of crypto, zlib, fs, …)`;
  if (by === "unknown")
    return `${what}. As a debugger is attached, it was not paused to see where: that debugger can do so`;
  return `${what}${stackText(stack, folder)}`;
}

function stackText(stack: Blocked["stack"], folder: string): string {
  const calls = stack.map(({ function: name, place }) =>
    place === undefined
      ? shown(name)
      : `${shown(name)} ${fileText(place.file, folder)}:${place.line}:${place.column}`,
  );
  return calls.length === 0 ? "" : `, in ${calls.join(" < ")}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
