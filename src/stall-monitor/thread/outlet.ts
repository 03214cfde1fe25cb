import type * as Fs from "node:fs";
import type { shown } from "../../base/shown.js";
import type { BlockedHead, StackFrame, Stall } from "../stall.js";

/** Where the thread says what it sees, while main can say nothing. */
export interface Outlet {
  /** `isOver` is false while the stall goes on. */
  stall(stall: Stall, isOver: boolean): void;
  breach(breach: BlockedHead): void;
  line(text: string): void;
}

/**
 * Writes at once, past the streams: those belong to main.
 *
 * Runs in the thread: its source is sent there, so it refers to nothing outside.
 */
export function makeOutlet(
  fs: typeof Fs,
  {
    print,
    reportDir: folder,
    ours,
  }: { readonly print: boolean; readonly reportDir: string | undefined; readonly ours: readonly string[] },
  inOneLine: typeof shown,
  fault: (error: unknown) => void,
): Outlet {
  const mostBytes = 1_000_000;
  const mostCallers = 4;
  const mostCharacters = 2_000;
  const file = folder === undefined ? undefined : `${folder}/stalls.jsonl`;
  const line = (text: string) => {
    if (!print) return;
    try {
      fs.writeSync(2, `queuescope: ${inOneLine(text, mostCharacters)}\n`);
    } catch {
      // Closed, or full: there is nobody to be told.
    }
  };
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
  // Neither through a link nor into a pipe that somebody has laid there.
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  let isBroken = false;
  let wasThere = folder !== undefined && fs.existsSync(folder);
  const append = (facts: object) => {
    if (file === undefined || folder === undefined) return;
    try {
      // It may have been deleted since.
      if (wasThere) fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      const isFull = (fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0) > mostBytes;
      if (isFull) fs.renameSync(file, `${folder}/stalls.previous.jsonl`);
      const opened = fs.openSync(file, flags, 0o600);
      try {
        const { mode } = fs.fstatSync(opened);
        if ((mode & 0o170000) !== 0o100000) throw new Error(`${file} is no file`);
        // It tells of tasks, as reports do: nobody else may read it, whoever has made it.
        if (process.platform !== "win32" && (mode & 0o077) !== 0) fs.fchmodSync(opened, 0o600);
        fs.writeFileSync(opened, `${JSON.stringify(facts)}\n`);
      } finally {
        fs.closeSync(opened);
      }
      isBroken = false;
      wasThere = true;
    } catch (error) {
      // Told once, until it works again.
      if (!isBroken) fault(error);
      isBroken = true;
    }
  };
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const place = (frame: StackFrame) =>
    `${frame.functionName ?? "(anonymous)"} (${frame.file}:${frame.line}:${frame.column})`;
  const doing = ({ where, stack, isNative, isGarbageCollection, task }: Stall, isOver: boolean) => {
    const frames = stack.filter((frame) => !frame.isInternal);
    // How the library came to call the user's code is of no use to anybody.
    const end = frames.findIndex(({ file }, i) => i > 0 && ours.some((folder) => file?.startsWith(folder)));
    const callers = frames.slice(0, end === -1 ? mostCallers : Math.min(end, mostCallers));
    const culprit = stack[0]?.isInternal && stack[0].functionName ? ` (${stack[0].functionName})` : "";
    const by = `${isNative ? `, native code${culprit}` : ""}${isGarbageCollection ? ", mostly collecting garbage" : ""}`;
    const at =
      where === undefined
        ? isNative && !isOver
          ? ", in which nobody can look yet"
          : ""
        : `, in ${callers.map(place).join(" < ")}`;
    const facts = Object.entries(task ?? {}).filter(([, value]) => value !== undefined);
    const whose = facts.map(([key, value]) => `${key}=${inOneLine(JSON.stringify(value))}`).join(" ");
    return `${by}${at}${whose === "" ? "" : `; task ${whose}`}`;
  };
  return {
    line,
    stall(stall, isOver) {
      const length = isOver
        ? `was blocked for ${seconds(stall.durationMs)}`
        : `is blocked, for ${seconds(stall.durationMs)} by now`;
      line(`the event loop ${length}${doing(stall, isOver)}`);
      append({ kind: "stall", isOver, ...stall });
    },
    breach(breach) {
      const { queue, tier, ageMs, slaMs, blockedMs } = breach;
      line(
        `queue=${queue} tier=${tier} head waited ${seconds(ageMs)} (SLA ${seconds(slaMs)}), the event loop is blocked for ${seconds(blockedMs)}`,
      );
      // Which slot it is says nothing to anybody else.
      append({ kind: "breach", ...breach, slot: undefined });
    },
  };
}
