import { setImmediate as turn } from "node:timers/promises";
import { compileFunction } from "node:vm";
import { processWide } from "../../../src/base/process-wide.js";
import { installRuntime } from "../../../src/frames/runtime.js";
import { transform } from "../../../src/frames/transform/transform.js";
import { type FrameList, type TaskFrame, YIELDS } from "../../../src/waits/frame-list.js";

/** How often a program's functions may be called in all. */
const FUEL = 60;
/** How many microtasks a program is compared by, and after how many turns of the event loop without a word it is over. */
const TICKS = 120;
const CALM_TURNS = 12;

export interface Behaviour {
  /** All that was told, in order. */
  readonly log: readonly string[];
  /** Frames that are left when all has come to rest. */
  readonly left: readonly string[];
}

const PATH = "/program.js";

export function transformed(program: string): string | undefined {
  const code = `(function (log, fuel, ticks, at) {${program}\n})`;
  const result = transform({ code, url: `file://${PATH}`, path: PATH, kind: "commonjs", wantsMap: false });
  return result?.slice("(function (log, fuel, ticks, at) {".length, -"\n})".length);
}

/** Runs it as a task's handler. */
export async function behaviourOf(program: string): Promise<Behaviour> {
  const log: string[] = [];
  const tell = (what: unknown) => void log.push(String(what));
  const unhandled = (error: unknown) => tell(`unhandled ${messageOf(error)}`);
  const handled = () => tell("handled late");
  process.on("unhandledRejection", unhandled);
  process.on("rejectionHandled", handled);
  const notes: { frames?: FrameList } = {};
  let isOver = false;
  try {
    const main = compileFunction(program, ["log", "fuel", "ticks", "at"], { filename: PATH });
    processWide.correlation.run({ correlationId: "program", notes }, () => {
      beat(tell);
      (main(tell, { left: FUEL }, ticks, linesOf) as Promise<unknown>).then(
        (value) => {
          tell(`returned ${typeof value} ${Object.prototype.toString.call(value)}`);
          isOver = true;
        },
        (error: unknown) => {
          tell(`rejected ${messageOf(error)}${linesOf(error)}`);
          isOver = true;
        },
      );
    });
    let calm = 0;
    for (let before = -1; calm < CALM_TURNS; before = log.length) {
      await turn();
      calm = before === log.length ? calm + 1 : 0;
    }
    if (!isOver) tell("not over");
  } finally {
    process.off("unhandledRejection", unhandled);
    process.off("rejectionHandled", handled);
  }
  // The next function of the task finds nothing that runs still, and what returned a promise last is no longer waited for.
  processWide.correlation.run({ correlationId: "program", notes }, () => {
    const frame = installRuntime().enter("probe") as unknown as {
      parent: unknown;
      previous: unknown;
      exit(): void;
    };
    if (frame.parent !== undefined || frame.previous !== undefined) tell("a function is current for ever");
    frame.exit();
  });
  return { log, left: leftIn(notes.frames) };
}

/** Microtasks that go on beside the program. */
function beat(tell: (what: string) => void): void {
  let last = Promise.resolve();
  for (let i = 0; i < TICKS; i++) last = last.then(() => tell(`tick ${i}`));
}

function ticks(count: number): Promise<number> {
  let last = Promise.resolve(count);
  for (let i = 0; i < count; i++) last = last.then((value) => value);
  return last;
}

/** The lines of the program in the error's stack: functions are never moved to other lines. */
function linesOf(error: unknown): string {
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  // Where a block ends by disposing of something, V8 names some line of it.
  if (typeof stack !== "string" || /\bclose\b|during disposal/.test(String(message))) return "";
  const lines = [...stack.matchAll(/\/program\.js:(\d+):\d+/g)].map(([, line]) => line);
  return lines.length === 0 ? "" : ` at ${lines.join(" ")}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** A generator that is given up is never told: what has returned a promise of it stays with it, and what it was given last does. */
function leftIn(list: FrameList | undefined): string[] {
  const left = new Set<TaskFrame>();
  for (let frame = list?.oldest; frame !== undefined; frame = frame.newer) left.add(frame);
  for (const frame of [...left]) {
    const path: TaskFrame[] = [];
    for (let each: TaskFrame | undefined = frame; each !== undefined; each = each.parent) path.push(each);
    if (path.some(({ state }) => state === YIELDS)) for (const each of path) left.delete(each);
  }
  return [...left].map(({ place, site, state }) => `${place.split("\n")[1]} at ${site}, state ${state}`);
}
