import type * as Fs from "node:fs";
import type { shown } from "../../base/shown.js";
import type { BlockedHead, StackFrame, Stall } from "../stall.js";

/** Where the thread writes what it sees, while main can't. */
export interface StallLog {
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
export function makeStallLog(
  fs: typeof Fs,
  {
    print,
    reportDir: folder,
    ours,
  }: { readonly print: boolean; readonly reportDir: string | undefined; readonly ours: readonly string[] },
  inOneLine: typeof shown,
  fault: (error: unknown) => void,
): StallLog {
  const maxBytes = 1_000_000;
  const maxCallers = 4;
  const maxCharacters = 2_000;
  const file = folder === undefined ? undefined : `${folder}/stalls.jsonl`;
  const line = (text: string) => {
    if (!print) return;
    try {
      fs.writeSync(2, `queuescope: ${inOneLine(text, maxCharacters)}\n`);
    } catch {
      // Closed, or full.
    }
  };
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
  // Neither through a link nor into a pipe.
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  let isBroken = false;
  let wasThere = folder !== undefined && fs.existsSync(folder);
  const append = (facts: object) => {
    if (file === undefined || folder === undefined) return;
    try {
      // It may have been deleted since.
      if (wasThere) fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      const isFull = (fs.lstatSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes;
      if (isFull) fs.renameSync(file, `${folder}/stalls.previous.jsonl`);
      const opened = fs.openSync(file, flags, 0o600);
      try {
        const { mode } = fs.fstatSync(opened);
        if ((mode & 0o170000) !== 0o100000) throw new Error(`${file} is no file`);
        // It tells of tasks, as reports do: only the owner may read it.
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
    // How the library came to call the user's code is of no use.
    const end = frames.findIndex(({ file }, i) => i > 0 && ours.some((folder) => file?.startsWith(folder)));
    const callers = frames.slice(0, end === -1 ? maxCallers : Math.min(end, maxCallers));
    const culprit = stack[0]?.isInternal && stack[0].functionName ? ` (${stack[0].functionName})` : "";
    const by = `${isNative ? `, native code${culprit}` : ""}${isGarbageCollection ? ", mostly collecting garbage" : ""}`;
    const at =
      where === undefined
        ? isNative && !isOver
          ? ", which can't be inspected yet"
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
      // The index means something in this process only.
      append({ kind: "breach", ...breach, head: undefined });
    },
  };
}
