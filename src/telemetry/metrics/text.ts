import type { Exemplar } from "./exemplars.js";
import type { Format } from "./formats.js";
import type { Histogram } from "./histogram.js";
import {
  type Bounds,
  type HistogramName,
  INSTRUMENTS,
  type InstrumentName,
  type ReadingName,
} from "./instruments.js";
import { promName } from "./labels.js";
import { type Add, processHistograms, readerOf, readProcess } from "./readings.js";
import { allSeries } from "./series.js";
import type { TextPages } from "./text-pages.js";

/** Of how many queues a piece of text is at most, be there any: making it takes well under a millisecond. */
const MAX_QUEUES = 16;
/** What a line has beside its name and labels, in bytes: a figure has at most 24. */
const MAX_REST = 32;

/** What an exemplar's line has more. */
const MAX_EXEMPLAR = 160;

/**
 * Writes the points of one of our instruments, as Prometheus reads them, without the head, and gives them in pieces. `scope`: labels that all of
 * them have. Formats differ in histograms only: OpenMetrics has exemplars, and writes 1 as `1.0` where it is a bound.
 */
export type PointsInText = (
  name: InstrumentName,
  scope: string,
  text: TextPages,
  format?: Format,
) => Iterable<Uint8Array>;

export const pointsInText: PointsInText = (name, scope, text, format = "text") =>
  INSTRUMENTS[name].kind === "histogram"
    ? histogramsInText(name as HistogramName, scope, text, format)
    : readingsInText(name as ReadingName, scope, text);

function* readingsInText(name: ReadingName, scope: string, text: TextPages): Iterable<Uint8Array> {
  const series = Buffer.from(`${promName(name) + (INSTRUMENTS[name].kind === "counter" ? "_total" : "")}{`);
  const scopeBytes = Buffer.from(scope);
  const add: Add = (value, labels, more) => {
    const { bytes } = labels;
    const moreBytes = more === undefined ? NOTHING : more.bytes;
    text.reserve(series.length + bytes.length + moreBytes.length + scopeBytes.length + MAX_REST);
    const { page } = text;
    let at = put(page, put(page, text.used, series), bytes);
    at = putMore(page, putMore(page, at, bytes, moreBytes), bytes, scopeBytes);
    at = putFigure(page, put(page, at, END), value);
    page[at] = NEWLINE;
    text.used = at + 1;
  };
  let queues = 0;
  readProcess(name, add);
  const readQueue = readerOf(name);
  for (const queue of allSeries.values()) {
    readQueue(queue, add);
    if (++queues % MAX_QUEUES === 0) yield* text.taken();
  }
  yield* text.taken();
}

function* histogramsInText(
  name: HistogramName,
  scope: string,
  text: TextPages,
  format: Format,
): Iterable<Uint8Array> {
  const scopeBytes = Buffer.from(scope);
  let form: HistogramForm | undefined;
  const write = (histogram: Histogram) => {
    if (form?.bounds !== histogram.bounds) form = formOf(histogram, format);
    text.reserve(form.roomFor(histogram, scopeBytes.length));
    text.used = form.fill(text.page, text.used, histogram, scopeBytes);
  };
  let queues = 0;
  for (const queue of allSeries.values()) {
    for (const histogram of queue.histograms(name)) write(histogram);
    if (++queues % MAX_QUEUES === 0) yield* text.taken();
  }
  for (const histogram of processHistograms(name)) write(histogram);
  yield* text.taken();
}

/** By their bounds, which may differ from series to series. */
const forms: Readonly<Record<Format, Map<Bounds, Map<HistogramName, HistogramForm>>>> = {
  text: new Map(),
  openmetrics: new Map(),
};

function formOf({ instrument, bounds }: Histogram, format: Format): HistogramForm {
  let known = forms[format].get(bounds);
  if (known === undefined) {
    known = new Map();
    forms[format].set(bounds, known);
  }
  let form = known.get(instrument);
  if (form === undefined) {
    form = new HistogramForm(promName(instrument), bounds, format);
    known.set(instrument, form);
  }
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
  private readonly ends: readonly Uint8Array[];
  private readonly length: number;

  constructor(
    series: string,
    readonly bounds: Bounds,
    private readonly format: Format,
  ) {
    const bytes = (text: string) => Buffer.from(text);
    this.count = bytes(`${series}_count{`);
    this.sum = bytes(`\n${series}_sum{`);
    this.bucket = bytes(`\n${series}_bucket{`);
    const bound = (seconds: number) =>
      format === "openmetrics" && Number.isInteger(seconds) ? `${seconds}.0` : String(seconds);
    this.ends = [...bounds.seconds.map(bound), "+Inf"].map((each) => bytes(`${each}"} `));
    const perLine = this.bucket.length + LE.length + MAX_REST;
    this.length = this.ends.reduce((sum, { length }) => sum + length + perLine, 2 * perLine);
  }

  /** The most bytes that the histogram can take, the scope's labels having so many. */
  roomFor({ labels, exemplars }: Histogram, scope: number): number {
    const room = this.length + (this.ends.length + 2) * (labels.bytes.length + scope);
    return exemplars === undefined ? room : room + this.ends.length * MAX_EXEMPLAR;
  }

  /** Writes it to the place, and returns where it ends. */
  fill(into: Buffer, place: number, histogram: Histogram, scope: Uint8Array): number {
    const { counts } = histogram;
    const exemplars = this.format === "openmetrics" ? histogram.exemplars : undefined;
    const { bytes } = histogram.labels;
    let at = put(into, place, this.count);
    const labelsAt = at;
    at = putMore(into, put(into, at, bytes), bytes, scope);
    const labelsEnd = at;
    at = put(into, at, END);
    let count = 0;
    for (let i = 0; i < counts.length; i++) count += counts[i]!;
    at = putCount(into, at, count);
    at = put(into, at, this.sum);
    at = again(into, at, labelsAt, labelsEnd);
    at = put(into, at, END);
    at = putFigure(into, at, histogram.sumSeconds);
    const bucketAt = at;
    at = put(into, at, this.bucket);
    at = again(into, at, labelsAt, labelsEnd);
    at = put(into, at, labelsAt === labelsEnd ? LE.subarray(1) : LE);
    const bucketEnd = at;
    count = 0;
    for (let i = 0; i < counts.length; i++) {
      if (i > 0) at = again(into, at, bucketAt, bucketEnd);
      at = put(into, at, this.ends[i]!);
      count += counts[i]!;
      at = putCount(into, at, count);
      const exemplar = exemplars?.[i];
      if (exemplar !== undefined) at += into.write(inText(exemplar), at, "latin1");
    }
    into[at++] = NEWLINE;
    return at;
  }
}

function inText({ traceId, spanId, seconds, at }: Exemplar): string {
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${seconds} ${at}`;
}

const END = Buffer.from("} ");
const LE = Buffer.from(',le="');
const NOTHING = new Uint8Array(0);
const COMMA = 44;
const ZERO = 48;
const NEWLINE = 10;
/** Less than that has only bits that stay an integer's. */
const MAX_SMALL = 2 ** 31;

function put(into: Buffer, at: number, bytes: Uint8Array): number {
  into.set(bytes, at);
  return at + bytes.length;
}

/** Further labels, after these. */
function putMore(into: Buffer, at: number, first: Uint8Array, more: Uint8Array): number {
  if (more.length === 0) return at;
  if (first.length === 0) return put(into, at, more);
  into[at] = COMMA;
  return put(into, at + 1, more);
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

function putFigure(into: Buffer, at: number, value: number): number {
  // -0 is a 0, too.
  if (value >= 0 && value < MAX_SMALL && Number.isInteger(value)) return putCount(into, at, value);
  return at + into.write(figure(value), at);
}

function figure(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
