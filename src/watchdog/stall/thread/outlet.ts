import type * as Fs from "node:fs";
import type { shown } from "../../../shown.js";
import type { BlockedHead, Frame, Stall } from "../stall.js";

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
    reportDir,
    ours,
  }: { readonly print: boolean; readonly reportDir: string | undefined; readonly ours: readonly string[] },
  inOneLine: typeof shown,
  fault: (error: unknown) => void,
): Outlet {
  const mostBytes = 1_000_000;
  const mostCallers = 4;
  const mostCharacters = 2_000;
  const file = reportDir === undefined ? undefined : `${reportDir}/stalls.jsonl`;
  const line = (text: string) => {
    if (!print) return;
    try {
      fs.writeSync(2, `queuescope: ${inOneLine(text, mostCharacters)}\n`);
    } catch {
      // Closed, or full: there is nobody to be told.
    }
  };
  const append = (facts: object) => {
    if (file === undefined) return;
    try {
      const isFull = (fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0) > mostBytes;
      if (isFull) fs.renameSync(file, file.replace(".jsonl", ".previous.jsonl"));
      // Of tasks, as reports are: nobody else may read them.
      fs.appendFileSync(file, `${JSON.stringify(facts)}\n`, { mode: 0o600 });
    } catch (error) {
      fault(error);
    }
  };
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const place = (frame: Frame) =>
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
