import {
  type BatchObservableResult,
  diag,
  type MeterProvider,
  metrics,
  type Observable,
} from "@opentelemetry/api";
import { plainError } from "../../base/error-text.js";
import { contained } from "../../base/output.js";
import { type PlainExportState, processWide } from "../../base/process-wide.js";
import { SCOPE } from "../version.js";
import type { HistogramSink } from "./histogram.js";
import {
  BOUNDS,
  type HistogramName,
  INSTRUMENTS,
  type InstrumentName,
  MESSAGING_BOUNDS,
  type ReadingName,
} from "./instruments.js";
import { attributesOf } from "./labels.js";
import { read } from "./readings.js";

/** How often to look whether an SDK was registered in the meantime, in milliseconds. */
const LOOK_EVERY_MS = 1_000;

/**
 * Export by the metrics API alone, for readers that don't have our metric producer. Instruments made before an SDK is registered
 * stay dead, so they are made anew whenever the provider is another one.
 */
class PlainExport {
  constructor(private readonly state: PlainExportState) {}

  /** Whether something else has taken over. */
  get isStopped(): boolean {
    return this.state.isStopped;
  }

  /** Binds to the provider of the moment, and keeps looking for another one. To be called whenever there is news. */
  sync(): void {
    const { state } = this;
    if (state.isStopped) return;
    if (state.timer === undefined) {
      state.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
      // In jsdom it is a number.
      (state.timer as Partial<NodeJS.Timeout>).unref?.();
    }
    const provider = metrics.getMeterProvider();
    if (provider === state.provider) return;
    state.provider = provider;
    state.unbind();
    state.unbind = bind(provider, state.sinks);
  }

  /** In a timer of ours nothing else would catch what a provider throws. */
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
    this.state.isReplaced = true;
    this.pause();
  }

  /** For as long as something else exports. Returns what ends that; what histograms get until then, the API never hears of. */
  suspend(): () => void {
    let isOver = false;
    this.state.suspensions++;
    this.pause();
    return () => {
      if (isOver) return;
      isOver = true;
      this.state.suspensions--;
      this.state.isStopped = this.state.isReplaced || this.state.suspensions > 0;
      this.look();
    };
  }

  private pause(): void {
    const { state } = this;
    state.isStopped = true;
    clearInterval(state.timer);
    state.timer = undefined;
    state.provider = undefined;
    try {
      state.unbind();
    } finally {
      state.unbind = () => {};
    }
  }
}

/** Of this process. */
export const plainExport = new PlainExport(processWide.plainExport);

function bind(provider: MeterProvider, sinks: Map<HistogramName, HistogramSink>): () => void {
  const meter = provider.getMeter(SCOPE.name, SCOPE.version);
  const observables = new Map<Observable, ReadingName>();
  for (const name of Object.keys(INSTRUMENTS) as InstrumentName[]) {
    const { kind, unit, description } = INSTRUMENTS[name];
    const options = { unit, description };
    if (kind === "gauge") observables.set(meter.createObservableGauge(name, options), name as ReadingName);
    else if (kind === "counter") {
      observables.set(meter.createObservableCounter(name, options), name as ReadingName);
    } else {
      const { seconds } = name.startsWith("messaging.") ? MESSAGING_BOUNDS : BOUNDS;
      const advice = { explicitBucketBoundaries: [...seconds] };
      sinks.set(name as HistogramName, meter.createHistogram(name, { ...options, advice }));
    }
  }
  const observe = (result: BatchObservableResult) => {
    for (const [observable, name] of observables) {
      read(name, (value, labels, more) => result.observe(observable, value, attributesOf(labels, more)));
    }
  };
  const all = [...observables.keys()];
  meter.addBatchObservableCallback(observe, all);
  return () => {
    meter.removeBatchObservableCallback(observe, all);
    sinks.clear();
  };
}
