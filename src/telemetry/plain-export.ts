import {
  type BatchObservableResult,
  diag,
  type MeterProvider,
  metrics,
  type Observable,
} from "@opentelemetry/api";
import { plainError } from "../error-text.js";
import { contained } from "../output.js";
import { plainSinks } from "./histogram.js";
import {
  BOUNDS,
  type HistogramName,
  INSTRUMENTS,
  type InstrumentName,
  type ReadingName,
} from "./instruments.js";
import { read } from "./readings.js";
import { SCOPE } from "./version.js";

/** How often to look whether an SDK was registered in the meantime, in milliseconds. */
const LOOK_EVERY_MS = 1_000;

/**
 * Export by the metrics API alone, for readers that don't have our metric producer. Instruments made before an SDK is registered
 * stay dead, so they are made anew whenever the provider is another one.
 */
class PlainExport {
  private provider: MeterProvider | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  /** Has the metric producer taken over? */
  isStopped = false;
  private unbind: () => void = () => {};

  /** Binds to the provider of the moment, and keeps looking for another one. To be called whenever there is news. */
  sync(): void {
    if (this.isStopped) return;
    this.timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    const provider = metrics.getMeterProvider();
    if (provider === this.provider) return;
    this.provider = provider;
    this.unbind();
    this.unbind = bind(provider);
  }

  /** In a timer of ours nobody else would catch what a provider throws. */
  private look(): void {
    try {
      this.sync();
    } catch (error) {
      contained(() =>
        diag.warn(
          "queuescope: this meter provider does not work, so metrics are not exported by it",
          plainError(error),
        ),
      );
    }
  }

  /** For good: the metric producer has taken over. */
  stop(): void {
    this.isStopped = true;
    clearInterval(this.timer);
    this.unbind();
  }
}

export const plainExport = new PlainExport();

function bind(provider: MeterProvider): () => void {
  const meter = provider.getMeter(SCOPE.name, SCOPE.version);
  const observables = new Map<Observable, ReadingName>();
  for (const name of Object.keys(INSTRUMENTS) as InstrumentName[]) {
    const { kind, unit, description } = INSTRUMENTS[name];
    const options = { unit, description };
    if (kind === "gauge") observables.set(meter.createObservableGauge(name, options), name as ReadingName);
    else if (kind === "counter") {
      observables.set(meter.createObservableCounter(name, options), name as ReadingName);
    } else {
      const advice = { explicitBucketBoundaries: [...BOUNDS] };
      plainSinks.set(name as HistogramName, meter.createHistogram(name, { ...options, advice }));
    }
  }
  const observe = (result: BatchObservableResult) => {
    for (const [observable, name] of observables) {
      read(name, (value, attributes) => result.observe(observable, value, attributes));
    }
  };
  const all = [...observables.keys()];
  meter.addBatchObservableCallback(observe, all);
  return () => {
    meter.removeBatchObservableCallback(observe, all);
    plainSinks.clear();
  };
}
