import { fileURLToPath } from "node:url";
import { isOurs } from "../base/own-folders.js";
import { processWide } from "../base/process-wide.js";
import type { CallSite } from "./wait.js";

/** How many lines are kept. */
const MAX_LINES = 24;
/** How many of them are shown, when those of Node and of this library are left out. */
const MAX_FRAMES = 8;
/** In characters. */
const MAX_LINE = 1_000;
/** Without what V8 adds where a method has another name than its function: `Crew.ship [as handler]`. */
const LINE = /^\s+at (?:(?:async )?(.*?)(?: \[as .*?\])? \()?(?:async )?(.+?):(\d+):(\d+)\)?$/;

const { placeSampling } = processWide;

/** Remembers one place in `oneIn`; 0: none. */
export function samplePlaces(oneIn: number): void {
  placeSampling.oneIn = oneIn;
  placeSampling.left = oneIn;
}

/** The place of the caller, if it is sampled. */
export function sampledPlace(): Error | undefined {
  const { oneIn } = placeSampling;
  if (oneIn === 0 || --placeSampling.left > 0) return undefined;
  // At random: of a put and a wait in turns, it would always be the same one.
  placeSampling.left = 1 + Math.floor(Math.random() * (2 * oneIn - 1));
  const { stackTraceLimit } = Error;
  // Where `Error` is frozen, as many lines as there usually are.
  Reflect.set(Error, "stackTraceLimit", MAX_LINES);
  // V8 makes its text only when it is read.
  const place = new Error("place");
  Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
  return place;
}

/** Places that were read before. */
const read = new WeakMap<Error, readonly CallSite[]>();

/** The lines of the user's own code and of their packages, innermost first. */
export function framesOf(place: Error): readonly CallSite[] {
  const known = read.get(place) ?? framesIn(place);
  read.set(place, known);
  return known;
}

function framesIn(place: Error): readonly CallSite[] {
  const frames: CallSite[] = [];
  const { stack } = place;
  if (typeof stack !== "string") return frames;
  for (const text of stack.split("\n")) {
    // Of a module that is called by all of its source.
    if (text.length > MAX_LINE) continue;
    const [, name, location, line, column] = LINE.exec(text) ?? [];
    if (location === undefined || location.startsWith("node:")) continue;
    const file = location.startsWith("file://") ? fileURLToPath(location) : location;
    if (isOurs(file)) continue;
    frames.push({ name: name || undefined, file, line: Number(line), column: Number(column) });
    if (frames.length === MAX_FRAMES) break;
  }
  return frames;
}
