import { AsyncLocalStorage } from "node:async_hooks";
import type { MeterProvider } from "@opentelemetry/api";
import type {
  ActiveTaskMonitor,
  Claimant,
  Correlated,
  Inspection,
  Instrumented,
  Report,
} from "../contracts/index.js";
import type { HistogramSink } from "../telemetry/metrics/histogram.js";
import type { HistogramName } from "../telemetry/metrics/instruments.js";
import { ProcessVitals } from "../telemetry/metrics/process-vitals.js";
import type { QueueSeries } from "../telemetry/metrics/queue-series.js";
import { wallNow } from "./clock.js";
import { Recorder } from "./flight-recorder.js";
import { KEY, keyOf, stateAt, VERSION } from "./process-wide-key.js";
import type { SignalGroup } from "./signal-group.js";
import { warnThat } from "./warning.js";

/**
 * All state of which there must be one in a process, though there may be several copies of this library in it: an app and one of its
 * dependencies, ESM beside CommonJS, a bundle. It is kept by `globalThis[Symbol.for("queuescope")]`; the copy that comes first makes it.
 */
export interface ProcessWide {
  readonly version: number;
  /** What `Symbol.for` gets to find this. */
  readonly key: string;
  /** Epoch milliseconds: since when there may be counts. */
  readonly startedAt: number;
  /** The one storage of the library: each instance makes every `run` of the process slower. */
  readonly correlation: AsyncLocalStorage<Correlated>;
  /** What is instrumented. It also keeps the probes, which the metrics hold only weakly. */
  readonly instrumented: WeakMap<object, Instrumented>;
  /** The numbers of every queue that was ever instrumented, by its name. */
  readonly series: Map<string, QueueSeries>;
  /** The numbers of the process itself. */
  readonly vitals: ProcessVitals;
  /** How the metrics API gets our metrics, while nothing better does. */
  readonly plainExport: PlainExportState;
  /** Which of our metric producers are being read. */
  readonly collectors: CollectorsState;
  /** What is in registries of prom-client, and how to take it out. */
  readonly promRegistries: WeakMap<object, PromRegistration>;
  /** Whether `startTelemetry` runs. */
  readonly sdk: { isRunning: boolean; instanceId: string | undefined };
  /** Queues whose worker was fixed at their construction, by name, which is how the two find each other. */
  readonly claimants: Map<string, Set<WeakRef<Claimant>>>;
  /** The names of all workers that were wrapped. */
  readonly handlers: Set<string>;
  /** Who looks on while tasks run. */
  readonly activeTaskMonitor: ActiveTaskMonitor;
  /** How many stacks of puts and waits are remembered: one in so many, and how many there are to the next. */
  readonly placeSampling: { oneIn: number; left: number };
  /** What changed lately, while a watchdog is interested. */
  readonly recorder: Recorder;
  /** By queue, who can say why it is late; must not throw. */
  readonly reports: WeakMap<object, Set<() => Report | undefined>>;
  /** What threads that watch for stalls may ask, by a number; they reach it by an expression that names this field. */
  readonly stallAnswers: Map<number, object>;
  /** Who waits on each signal, behind one listener. */
  readonly signalGroups: WeakMap<AbortSignal, SignalGroup>;
  /** Warnings that are given once, by what they are about. */
  readonly warned: Set<string>;
  /** What looks into the process from outside, and what it asks. */
  readonly inspection: Inspection;
}

/** Whether and where the metrics API has our instruments. */
export interface PlainExportState {
  provider: MeterProvider | undefined;
  timer: NodeJS.Timeout | undefined;
  /** Whether something else has taken over: for good, or so many for now. */
  isStopped: boolean;
  isReplaced: boolean;
  suspensions: number;
  unbind: () => void;
  /** Its histograms. */
  readonly sinks: Map<HistogramName, HistogramSink>;
}

/** That our metrics are in a registry of prom-client. */
export interface PromRegistration {
  /** Puts in what was removed from it. */
  renew(): void;
  unregister(): void;
}

/** One metric producer, as a reader has it. */
export interface Collector {
  /** Those that were read together with it, each time. */
  company: ReadonlySet<Collector> | undefined;
}

export interface CollectorsState {
  /** Those that were read in this turn of the event loop, by one reader as it seems. */
  round: Set<Collector>;
}

function make(key: string): ProcessWide {
  const sinks = new Map<HistogramName, HistogramSink>();
  return {
    version: VERSION,
    key,
    startedAt: wallNow(),
    correlation: new AsyncLocalStorage(),
    instrumented: new WeakMap(),
    series: new Map(),
    vitals: new ProcessVitals(sinks),
    plainExport: {
      provider: undefined,
      timer: undefined,
      isStopped: false,
      isReplaced: false,
      suspensions: 0,
      unbind: () => {},
      sinks,
    },
    collectors: { round: new Set() },
    promRegistries: new WeakMap(),
    sdk: { isRunning: false, instanceId: undefined },
    claimants: new Map(),
    handlers: new Set(),
    activeTaskMonitor: { current: undefined, users: 0, end: undefined },
    placeSampling: { oneIn: 0, left: 0 },
    recorder: new Recorder(),
    reports: new WeakMap(),
    stallAnswers: new Map(),
    signalGroups: new WeakMap(),
    warned: new Set(),
    inspection: {
      hub: undefined,
      socket: undefined,
      name: undefined,
      isAsked: false,
      watchdogs: new Set(),
      told: undefined,
    },
  };
}

/** What is there, or what is made now and left there. */
function at(key: string): Partial<ProcessWide> {
  const there = stateAt(key);
  if (there !== undefined) return there as Partial<ProcessWide>;
  const made = make(key);
  try {
    Object.defineProperty(globalThis, Symbol.for(key), { value: made, configurable: true });
  } catch {
    // A global object that is frozen: each copy is alone.
  }
  return made;
}

function isOurs(state: Partial<ProcessWide>): state is ProcessWide {
  return state.version === VERSION;
}

/** Copies whose state has another form stay apart: each form has a place of its own. */
function find(): ProcessWide {
  const first = at(KEY);
  if (isOurs(first)) return first;
  const own = at(keyOf(VERSION)) as ProcessWide;
  const warning = `another form than ${VERSION}`;
  if (!own.warned.has(warning)) {
    own.warned.add(warning);
    warnThat(
      `queuescope: two versions of this package that can't share their state are loaded (its form is ${first.version} and ${VERSION}): ` +
        "metrics come twice, and neither knows what the other one has instrumented; install one version (npm ls queuescope shows who wants which)",
    );
  }
  return own;
}

export const processWide: ProcessWide = find();
