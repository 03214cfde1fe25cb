import { processWide } from "../../../src/base/process-wide.js";
import { installRuntime } from "../../../src/frames/runtime.js";
import { behaviourOf, transformed } from "./behaviour.js";
import { randomProgram } from "./program.js";

/** How often it is told how far it has come, in programs. */
const PROGRESS = 5_000;

/** The first program that behaves differently with frames, in words; undefined where none does. */
export async function firstDifference(
  seed: number,
  programs: number,
  progress: (done: number) => void = () => {},
): Promise<string | undefined> {
  installRuntime();
  const { activeTaskMonitor } = processWide;
  const { current } = activeTaskMonitor;
  const { stackTraceLimit } = Error;
  // There may be lines of ours among those of the program.
  Error.stackTraceLimit = 200;
  // Frames are free outside of tasks, and where none is monitored.
  activeTaskMonitor.current = {} as never;
  try {
    for (let i = 0; i < programs; i++) {
      const difference = await differenceOf(seed + i);
      if (difference !== undefined) return `seed ${seed + i}: ${difference}`;
      if ((i + 1) % PROGRESS === 0) progress(i + 1);
    }
    return undefined;
  } finally {
    activeTaskMonitor.current = current;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function differenceOf(seed: number): Promise<string | undefined> {
  const program = randomProgram(seed);
  const changed = transformed(program);
  if (changed === undefined) return undefined;
  const lines = (text: string) => text.split("\n").length;
  if (lines(changed) !== lines(program)) return `lines have moved\n${changed}`;
  const plain = await behaviourOf(program);
  const framed = await behaviourOf(changed);
  const length = Math.max(plain.log.length, framed.log.length);
  for (let i = 0; i < length; i++) {
    if (plain.log[i] !== framed.log[i]) {
      const before = plain.log.slice(Math.max(0, i - 5), i).join("\n  ");
      return `after\n  ${before}\nit says "${plain.log[i]}", and with frames "${framed.log[i]}"\n${program}\n----\n${changed}`;
    }
  }
  const { left } = framed;
  if (left.length > 0 && !plain.log.includes("not over"))
    return `frames are left: ${left.join("; ")}\n${program}\n----\n${changed}`;
  return undefined;
}
