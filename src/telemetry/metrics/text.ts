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

/** How long a piece of text gets, in characters, and of how many queues it is at most: making it takes well under a millisecond. */
const MAX_LENGTH = 131_072;
const MAX_QUEUES = 32;

/** The points of one of our instruments as Prometheus reads them, without the head, in pieces. `scope`: labels that all of them have. */
export type PointsInText = (name: InstrumentName, scope: string) => Iterable<string>;

export const pointsInText: PointsInText = (name, scope) =>
  INSTRUMENTS[name].kind === "histogram"
    ? histogramsInText(name as HistogramName, scope)
    : readingsInText(name as ReadingName, scope);

function* readingsInText(name: ReadingName, scope: string): Iterable<string> {
  const series = promName(name) + (INSTRUMENTS[name].kind === "counter" ? "_total" : "");
  let text = "";
  const add: Add = (value, labels, more) => {
    text += `${series}{${joined(labels, more, scope)}} ${figure(value)}\n`;
  };
  let queues = 0;
  readProcess(name, add);
  for (const queue of allSeries.values()) {
    readQueue(name, queue, add);
    if (text.length < MAX_LENGTH && ++queues < MAX_QUEUES) continue;
    yield text;
    text = "";
    queues = 0;
  }
  if (text !== "") yield text;
}

function* histogramsInText(name: HistogramName, scope: string): Iterable<string> {
  const form = new HistogramForm(promName(name));
  let text = "";
  for (const histogram of histogramsOf(name)) {
    text += form.fill(histogram, scope);
    if (text.length < MAX_LENGTH) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

/** The lines of a histogram, but for labels and figures: what is between two of them is the same for all series. */
class HistogramForm {
  /** What comes before the labels, and after them up to the figure, of each line. */
  private readonly starts: readonly string[];
  private readonly ends: readonly string[];
  /** With a 0 for each figure: what is between the labels of one line and of the next. */
  private readonly betweenZeros: readonly string[];

  constructor(series: string) {
    const bounds = [...BOUNDS.map(String), "+Inf"];
    this.starts = [`${series}_count{`, `${series}_sum{`, ...bounds.map(() => `${series}_bucket{`)];
    this.ends = ["} ", "} ", ...bounds.map((bound) => `,le="${bound}"} `)];
    const last = this.starts.length - 1;
    this.betweenZeros = [
      this.starts[0]!,
      ...this.ends.map((end, i) => (i === last ? `${end}0\n` : `${end}0\n${this.starts[i + 1]}`)),
    ];
  }

  fill(histogram: Histogram, scope: string): string {
    const labels = joined(histogram.labels, undefined, scope);
    if (histogram.isEmpty) return this.betweenZeros.join(labels);
    const { starts, ends } = this;
    const { counts } = histogram;
    let buckets = "";
    let count = 0;
    for (let i = 0; i < counts.length; i++) {
      count += counts[i]!;
      buckets += `${starts[i + 2]}${labels}${ends[i + 2]}${count}\n`;
    }
    return `${starts[0]}${labels}${ends[0]}${count}\n${starts[1]}${labels}${ends[1]}${figure(histogram.sumSeconds)}\n${buckets}`;
  }
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
