import { fileURLToPath } from "node:url";
import { isOurs } from "../base/own-folders.js";
import { processWide } from "../base/process-wide.js";
import type { Frame } from "./wait.js";

/** How many lines are kept. */
const MOST_LINES = 24;
/** How many of them are shown, when those of Node and of this library are left out. */
const MOST_FRAMES = 8;
/** In characters. */
const MAX_LINE = 1_000;
/** Without what V8 adds where a method has another name than its function: `Crew.ship [as handler]`. */
const LINE = /^\s+at (?:(?:async )?(.*?)(?: \[as .*?\])? \()?(?:async )?(.+?):(\d+):(\d+)\)?$/;

const { placeSampling } = processWide;

/** One place in so many is remembered; 0: none. */
export function samplePlaces(oneIn: number): void {
  placeSampling.oneIn = oneIn;
  placeSampling.left = oneIn;
}

/** The place of the caller, if it is its turn. */
export function sampledPlace(): Error | undefined {
  const { oneIn } = placeSampling;
  if (oneIn === 0 || --placeSampling.left > 0) return undefined;
  // At random: of what comes in turns, a put and a wait say, it would always be the same one.
  placeSampling.left = 1 + Math.floor(Math.random() * (2 * oneIn - 1));
  const { stackTraceLimit } = Error;
  // Where `Error` is frozen, as many lines as there usually are.
  Reflect.set(Error, "stackTraceLimit", MOST_LINES);
  // Made into text only when somebody reads it.
  const place = new Error("place");
  Reflect.set(Error, "stackTraceLimit", stackTraceLimit);
  return place;
}

/** What was read of a place before. */
const read = new WeakMap<Error, readonly Frame[]>();

/** The lines of the user's own code and of their packages, innermost first. */
export function framesOf(place: Error): readonly Frame[] {
  const known = read.get(place) ?? framesIn(place);
  read.set(place, known);
  return known;
}

function framesIn(place: Error): readonly Frame[] {
  const frames: Frame[] = [];
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
    if (frames.length === MOST_FRAMES) break;
  }
  return frames;
}
