import { RUNTIME } from "../../waits/frame-list.js";
import { placesAsText } from "../../waits/places.js";
import { type Insertion, inserted } from "./insertions.js";
import { instrumented, type Source } from "./instrument.js";
import { Lines } from "./lines.js";
import { type Off, switchedOff } from "./off.js";
import { parse, type SourceKind } from "./parse.js";
import { FRAME } from "./scope.js";
import { type FileMap, mapOf, ownMap, withMap } from "./source-map.js";

/** To parse takes about a second for so many characters. */
const MAX_CHARACTERS = 8_000_000;

export interface FileToTransform {
  readonly code: string;
  /** Of the file: sources of its map are relative to it. */
  readonly url: string;
  readonly kind: SourceKind;
  /** What a source is called, by its path. Default: by that. */
  readonly nameOf?: (path: string) => string;
  /** What it is called where it has no map. */
  readonly path: string;
  /** Whether it gets a source map where it has none: only columns change. */
  readonly wantsMap: boolean;
}

/**
 * The code with a frame for each async function; undefined where there is none, and where it is left alone. Lines stay, and its source map is continued.
 * Throws a `SyntaxError` for code that the parser doesn't know, and a `RangeError` for what is too long, or nested too deep.
 */
export function transform(file: FileToTransform): string | undefined {
  const { code, url } = file;
  if (!/\basync\b/.test(code) || code.includes(FRAME) || code.includes(RUNTIME)) return undefined;
  if (code.length > MAX_CHARACTERS) throw new RangeError(`it has more than ${MAX_CHARACTERS} characters`);
  if (switchedOff(code).file) return undefined;
  const lines = new Lines(code);
  const map = mapOf(code, url);
  const source = new MappedSource(file, lines, map);
  const insertions = instrumented(code, parse(code, file.kind), source);
  if (insertions.length === 0) return undefined;
  return withItsMap(file, insertions, lines, map);
}

function withItsMap(
  { code, url, wantsMap }: FileToTransform,
  insertions: readonly Insertion[],
  lines: Lines,
  map: FileMap | undefined,
): string {
  const result = inserted(code, insertions);
  if (map !== undefined) return withMap(result, map.shifted(insertions, lines));
  return wantsMap ? withMap(result, ownMap(url, code, insertions, lines)) : result;
}

/** Tells places in the source as it was written, and what comments there say: tools leave out comments. */
class MappedSource implements Source {
  private readonly offs = new Map<number, Off>();
  private readonly own: Off;

  constructor(
    private readonly file: FileToTransform,
    private readonly lines: Lines,
    private readonly map: FileMap | undefined,
  ) {
    this.own = switchedOff(file.code);
  }

  isOff(offset: number): boolean {
    const [line, column] = this.lines.position(offset);
    if (covers(this.own, line)) return true;
    const original = this.map?.original(line, column);
    if (original === undefined) return false;
    const off = this.offOf(original.source);
    return off.file || covers(off, original.line);
  }

  place(functionName: string | undefined, sites: readonly number[]): string {
    const { path, nameOf = (each) => each } = this.file;
    const originals = sites.map((site) => {
      const [line, column] = this.lines.position(site);
      return this.map?.original(line, column) ?? { source: -1, line, column };
    });
    // A function is in one file; of it all, the first place that is in one tells which.
    const source = originals.find((each) => each.source !== -1)?.source;
    const file = source === undefined ? path : this.map!.file(source);
    const shown = originals.map((each) =>
      source === undefined || each.source === source ? each : originals[0]!,
    );
    return placesAsText({
      file: nameOf(file),
      functionName,
      sites: shown.map(({ line, column }) => [line + 1, column + 1] as const),
    });
  }

  private offOf(source: number): Off {
    const known = this.offs.get(source);
    if (known !== undefined) return known;
    const off = switchedOff(this.map!.content(source));
    this.offs.set(source, off);
    return off;
  }
}

/** A comment is for its own line and for the next one. */
function covers({ lines }: Off, line: number): boolean {
  return lines.size > 0 && (lines.has(line) || lines.has(line - 1));
}
