import type { Histogram } from "./histogram.js";
import {
  BOUNDS,
  type HistogramName,
  INSTRUMENTS,
  type InstrumentName,
  type ReadingName,
} from "./instruments.js";
import { type Labels, promName } from "./labels.js";
import { type Add, histogramsOf, readProcess, readQueue } from "./readings.js";
import { allSeries } from "./series.js";

/** Of how many queues a piece of text is at most: making it takes well under a millisecond. */
const MAX_QUEUES = 32;
/** How long a page is, in bytes: pieces of text are parts of pages. */
const PAGE = 131_072;
/** A figure has no more characters. */
const MAX_FIGURE = 24;
/** A UTF-16 unit has no more bytes in UTF-8. */
const MAX_BYTES = 3;

/** The points of one of our instruments as Prometheus reads them, without the head, in pieces. `scope`: labels that all of them have. */
export type PointsInText = (name: InstrumentName, scope: string) => Iterable<Uint8Array>;

export const pointsInText: PointsInText = (name, scope) =>
  INSTRUMENTS[name].kind === "histogram"
    ? histogramsInText(name as HistogramName, scope)
    : readingsInText(name as ReadingName, scope);

function* readingsInText(name: ReadingName, scope: string): Iterable<Uint8Array> {
  const series = promName(name) + (INSTRUMENTS[name].kind === "counter" ? "_total" : "");
  let text = "";
  const add: Add = (value, labels, more) => {
    text += `${series}{${joined(labels, more, scope)}} ${figure(value)}\n`;
  };
  let queues = 0;
  readProcess(name, add);
  for (const queue of allSeries.values()) {
    readQueue(name, queue, add);
    if (++queues < MAX_QUEUES) continue;
    if (text !== "") yield Buffer.from(text);
    text = "";
    queues = 0;
  }
  if (text !== "") yield Buffer.from(text);
}

/** The page that is being filled, and up to where; the next piece begins there. */
let page = Buffer.alloc(0);
let used = 0;

function* histogramsInText(name: HistogramName, scope: string): Iterable<Uint8Array> {
  const form = formOf(name);
  let start = used;
  for (const histogram of histogramsOf(name)) {
    const labels = joined(histogram.labels, undefined, scope);
    const room = form.roomFor(labels);
    if (used + room > page.length) {
      if (used > start) yield page.subarray(start, used);
      // Another scrape may have gone on with the page, or begun one.
      if (used + room > page.length) {
        page = Buffer.allocUnsafeSlow(Math.max(PAGE, room));
        used = 0;
      }
      start = used;
    }
    used = form.fill(page, used, labels, histogram);
  }
  if (used > start) yield page.subarray(start, used);
}

const forms = new Map<HistogramName, HistogramForm>();

function formOf(name: HistogramName): HistogramForm {
  const form = forms.get(name) ?? new HistogramForm(promName(name));
  forms.set(name, form);
  return form;
}

/**
 * The lines of a histogram, but for labels and figures: what is between two of them is the same for all series. They are written byte by byte, as
 * strings would have to be made, joined and encoded, and then collected as garbage.
 */
class HistogramForm {
  private readonly count: Uint8Array;
  private readonly sum: Uint8Array;
  private readonly bucket: Uint8Array;
  /** What comes after the labels of a bucket's line, up to the figure, but for what they begin with: `,le="`. */
  private readonly bounds: readonly Uint8Array[];
  private readonly length: number;

  constructor(series: string) {
    const bytes = (text: string) => Buffer.from(text);
    this.count = bytes(`${series}_count{`);
    this.sum = bytes(`\n${series}_sum{`);
    this.bucket = bytes(`\n${series}_bucket{`);
    this.bounds = [...BOUNDS.map(String), "+Inf"].map((bound) => bytes(`${bound}"} `));
    const perLine = this.bucket.length + LE.length + MAX_FIGURE;
    this.length = this.bounds.reduce((sum, { length }) => sum + length + perLine, 2 * perLine);
  }

  /** The most bytes that such a histogram can take. */
  roomFor(labels: string): number {
    return this.length + (this.bounds.length + 2) * MAX_BYTES * labels.length;
  }

  /** Writes it to the place, and returns where it ends. */
  fill(into: Buffer, place: number, labels: string, histogram: Histogram): number {
    const { counts } = histogram;
    let at = put(into, place, this.count);
    const labelsAt = at;
    at += into.write(labels, at);
    const labelsEnd = at;
    at = put(into, at, END);
    let count = 0;
    for (let i = 0; i < counts.length; i++) count += counts[i]!;
    at = putCount(into, at, count);
    at = put(into, at, this.sum);
    at = again(into, at, labelsAt, labelsEnd);
    at = put(into, at, END);
    at += into.write(figure(histogram.sumSeconds), at);
    const bucketAt = at;
    at = put(into, at, this.bucket);
    at = again(into, at, labelsAt, labelsEnd);
    at = put(into, at, labelsAt === labelsEnd ? LE.subarray(1) : LE);
    const bucketEnd = at;
    count = 0;
    for (let i = 0; i < counts.length; i++) {
      if (i > 0) at = again(into, at, bucketAt, bucketEnd);
      at = put(into, at, this.bounds[i]!);
      count += counts[i]!;
      at = putCount(into, at, count);
    }
    into[at++] = NEWLINE;
    return at;
  }
}

const END = Buffer.from("} ");
const LE = Buffer.from(',le="');
const ZERO = 48;
const NEWLINE = 10;
/** Less than that has only bits that stay an integer's. */
const MAX_SMALL = 2 ** 31;

function put(into: Buffer, at: number, bytes: Uint8Array): number {
  into.set(bytes, at);
  return at + bytes.length;
}

/** What was written already, once more. */
function again(into: Buffer, at: number, start: number, end: number): number {
  into.copyWithin(at, start, end);
  return at + end - start;
}

function putCount(into: Buffer, at: number, count: number): number {
  if (count >= MAX_SMALL) return at + into.write(String(count), at);
  let end = at + 1;
  for (let rest = count; rest >= 10; rest = (rest / 10) | 0) end++;
  for (let i = end - 1, rest = count; i >= at; i--) {
    const tens = (rest / 10) | 0;
    into[i] = ZERO + rest - 10 * tens;
    rest = tens;
  }
  return end;
}

function joined(labels: Labels, more: Labels | undefined, scope: string): string {
  const { text } = labels;
  const all = more === undefined ? text : `${text},${more.text}`;
  if (scope === "") return all;
  return all === "" ? scope : `${all},${scope}`;
}

function figure(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
