/*!
 * Contains @jridgewell/sourcemap-codec (https://github.com/jridgewell/sourcemaps).
 *
 * MIT License
 *
 * Copyright 2024 Justin Ridgewell <justin@ridgewell.name>
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy
 * of this software and associated documentation files (the "Software"), to deal
 * in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 * copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in
 * all copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
 * SOFTWARE.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { decode, encode, type SourceMapMappings } from "@jridgewell/sourcemap-codec";
import type { Insertion } from "./insertions.js";
import type { Lines } from "./lines.js";

/** A source map as JSON has it. */
export interface RawSourceMap {
  readonly version: number;
  readonly sources: readonly (string | null)[];
  readonly sourcesContent?: readonly (string | null)[] | undefined;
  readonly sourceRoot?: string | undefined;
  readonly names?: readonly string[] | undefined;
  readonly mappings: string;
}

const COMMENT = /^[ \t]*\/\/[#@][ \t]*sourceMappingURL=([^\s'"]+)[ \t]*$/gm;
const DATA = /^data:application\/json[^,]*?(;base64)?,(.*)$/s;

/** A place in the source as it was written; line and column begin with 0. */
export interface Original {
  readonly source: number;
  readonly line: number;
  readonly column: number;
}

/** From what a file was made: its source map, as it is in a comment of the file, or in a file that the comment names. */
export class FileMap {
  private readonly mappings: SourceMapMappings;
  /** Absolute URLs, where they are of files. */
  private readonly sources: readonly string[];

  constructor(
    private readonly raw: RawSourceMap,
    /** That of the map, or of the file that it is in: sources are relative to it. */
    base: string,
  ) {
    this.mappings = decode(raw.mappings);
    const root = raw.sourceRoot ? `${raw.sourceRoot.replace(/\/$/, "")}/` : "";
    this.sources = raw.sources.map((source) => absolute(`${root}${source ?? ""}`, base));
  }

  /** Undefined for what was in no source. */
  original(line: number, column: number): Original | undefined {
    const segments = this.mappings[line] ?? [];
    // The last that begins there or before.
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (segments[middle]![0] <= column) low = middle + 1;
      else high = middle;
    }
    const segment = segments[low - 1];
    if (segment === undefined || segment.length === 1) return undefined;
    return { source: segment[1], line: segment[2], column: segment[3] };
  }

  /** Its path, or whatever else it is called. */
  file(source: number): string {
    return pathOf(this.sources[source]!);
  }

  /** Undefined where it can't be read. */
  content(source: number): string | undefined {
    const content = this.raw.sourcesContent?.[source];
    if (typeof content === "string") return content;
    try {
      return readFileSync(fileURLToPath(this.sources[source]!), "utf8");
    } catch {
      return undefined;
    }
  }

  /** The same after the insertions, which are on lines that are there. */
  shifted(insertions: readonly Insertion[], lines: Lines): RawSourceMap {
    const { mappings } = this;
    for (const [line, shifts] of shiftsByLine(insertions, lines)) {
      const segments = mappings[line];
      if (segments === undefined) continue;
      let by = 0;
      let next = 0;
      for (const segment of segments) {
        // What is put before something moves it.
        while (next < shifts.length && shifts[next]!.column <= segment[0]) by += shifts[next++]!.length;
        segment[0] += by;
      }
    }
    const { sourceRoot: _, ...raw } = this.raw;
    return { ...raw, sources: this.sources, mappings: encode(mappings) };
  }
}

/** A map of a file that has none: its columns, as they were before the insertions. */
export function ownMap(
  url: string,
  code: string,
  insertions: readonly Insertion[],
  lines: Lines,
): RawSourceMap {
  const mappings: SourceMapMappings = Array.from({ length: lines.count }, (_, line) => [[0, 0, line, 0]]);
  for (const [line, shifts] of shiftsByLine(insertions, lines)) {
    let by = 0;
    let next = 0;
    // A place is told by the last segment before it, so each word and sign has one.
    for (const { index } of lines.text(code, line).matchAll(/[\w$]+|[^\s\w$]/g)) {
      while (next < shifts.length && shifts[next]!.column <= index) by += shifts[next++]!.length;
      mappings[line]!.push([index + by, 0, line, index]);
    }
  }
  return { version: 3, sources: [url], sourcesContent: [code], names: [], mappings: encode(mappings) };
}

/** Undefined where there is none that can be read. */
export function mapOf(code: string, url: string): FileMap | undefined {
  const reference = [...code.matchAll(COMMENT)].at(-1)?.[1];
  if (reference === undefined) return undefined;
  try {
    const data = DATA.exec(reference);
    if (data !== null) {
      const [, base64, text] = data;
      return asMap(base64 ? Buffer.from(text!, "base64").toString() : decodeURIComponent(text!), url);
    }
    const place = new URL(reference, url);
    return asMap(readFileSync(fileURLToPath(place), "utf8"), place.href);
  } catch {
    return undefined;
  }
}

/** The code with this map: of several comments the last one counts. */
export function withMap(code: string, map: RawSourceMap): string {
  const data = Buffer.from(JSON.stringify(map)).toString("base64");
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${data}`;
}

/** One of sections is left as it is: no tool writes such for a file. */
function asMap(json: string, base: string): FileMap | undefined {
  const raw = JSON.parse(json) as RawSourceMap;
  return typeof raw.mappings === "string" && Array.isArray(raw.sources) ? new FileMap(raw, base) : undefined;
}

interface Shift {
  readonly column: number;
  readonly length: number;
}

function shiftsByLine(insertions: readonly Insertion[], lines: Lines): Map<number, Shift[]> {
  const shifts = new Map<number, Shift[]>();
  for (const { at, text } of insertions) {
    const [line, column] = lines.position(at);
    const shift = { column, length: text.length };
    const others = shifts.get(line);
    if (others === undefined) shifts.set(line, [shift]);
    else others.push(shift);
  }
  return shifts;
}

function absolute(source: string, base: string): string {
  // A path is no URL where it has a drive's letter.
  if (/^[a-z]:[\\/]/i.test(source)) return pathToFileURL(source).href;
  try {
    return new URL(source, base).href;
  } catch {
    return source;
  }
}

function pathOf(url: string): string {
  try {
    return url.startsWith("file:") ? fileURLToPath(url) : url;
  } catch {
    return url;
  }
}
