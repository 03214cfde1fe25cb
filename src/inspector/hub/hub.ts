import { diag } from "@opentelemetry/api";
import { plainError } from "../../base/error-text.js";
import { contained } from "../../base/output.js";
import { processWide } from "../../base/process-wide.js";
import { realClearInterval, realNow, realSetInterval, realWallNow } from "../../base/real-time.js";
import type { Probe, RunningWatchdog, SlaTarget, Watchable, WatchdogNews } from "../../contracts/index.js";
import { allSeries, type QueueSeries } from "../../telemetry/metrics/series.js";
import { WatchableQueue } from "../../telemetry/metrics/watchable.js";
import { Looker } from "../../watchdog/looker.js";
import type { ClearedReport } from "../../watchdog/report/cleared.js";
import type { BreachReport } from "../../watchdog/report/report.js";
import {
  EVERY_MS,
  type ProcessRow,
  type QueueRow,
  type ServerEvents,
  type StallRow,
  type Why,
} from "../protocol.js";
import { differenceOf } from "./different.js";
import { ProcessFigures } from "./process.js";
import { headOf, Reports, whyIn } from "./reports.js";
import { ringBytes } from "./ring.js";
import { MAX_STRIDE, Track } from "./track.js";
import { heatBytes } from "./waits.js";

/** What the histories of all queues may take, in bytes. */
const MAX_BYTES = 1_048_576;
/** How many causes are looked for at one look of those breaches that no watchdog has reported, and for how long an answer will do, in looks. */
const MAX_DIAGNOSES = 3;
const DIAGNOSIS_LOOKS = 5;

const { inspection } = processWide;

/** Is told what happens; must not throw. */
export interface HubListener {
  /** There was a look. */
  looked(): void;
  told<E extends "breach" | "cleared" | "stall">(event: E, data: ServerEvents[E]): void;
}

/**
 * All queues of the process, second by second. While nothing looks it keeps numbers only: of each queue some, in typed arrays, at most a
 * megabyte for all. It holds no process alive, and nothing in it reaches the user's work.
 */
export class Hub {
  readonly process: ProcessFigures;
  readonly reports: Reports;
  private readonly tracks = new Map<string, Track>();
  private readonly listeners = new Set<HubListener>();
  private readonly chores = new Set<{ readonly every: number; readonly act: () => void }>();
  private readonly redactors: ((text: string) => string)[] = [];
  private readonly watchables = new WeakMap<Probe, Watchable>();
  private readonly diagnoses = new Map<string, { readonly why: Why; readonly look: number }>();
  private looker: Looker | undefined;
  /** Until which look it is noted what tasks wait for. */
  private tasksUntil = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastAt = realNow();
  private looks = 0;
  private stride: number | undefined = 1;

  constructor(name: string | undefined) {
    this.process = new ProcessFigures(name);
    this.reports = new Reports(this.process.info.id);
  }

  start(): void {
    if (this.timer !== undefined) return;
    inspection.told = (news, subject) => this.attempt(() => this.told(news, subject));
    this.timer = realSetInterval(() => this.attempt(() => this.look()), EVERY_MS);
    (this.timer as Partial<NodeJS.Timeout>).unref?.();
    this.attempt(() => this.findTracks());
  }

  stop(): void {
    realClearInterval(this.timer);
    this.timer = undefined;
    inspection.told = undefined;
    for (const track of this.tracks.values()) track.end();
    this.tracks.clear();
    this.looker?.stop();
    this.looker = undefined;
  }

  /** What its texts go through before they are shown; each that was given. */
  addRedactor(redact: (text: string) => string): () => void {
    this.redactors.push(redact);
    return () => {
      const at = this.redactors.indexOf(redact);
      if (at !== -1) this.redactors.splice(at, 1);
    };
  }

  /** Calls it so often, at looks, until the end. */
  every(ms: number, act: () => void): () => void {
    const chore = { every: Math.max(1, Math.round(ms / EVERY_MS)), act };
    this.chores.add(chore);
    return () => void this.chores.delete(chore);
  }

  readonly redact = (text: string): string => {
    let told = text;
    for (const redact of this.redactors) {
      try {
        const next: unknown = redact(told);
        told = typeof next === "string" ? next : "…";
      } catch {
        told = "…";
      }
    }
    return told;
  };

  /** Adds a listener: as long as there is one, figures are made. Returns what ends it. */
  listen(listener: HubListener): () => void {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.attempt(() => this.lookOn());
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.looker?.stop();
      this.looker = undefined;
      this.tasksUntil = 0;
      this.diagnoses.clear();
    };
  }

  private get isWatched(): boolean {
    return this.listeners.size > 0;
  }

  private look(): void {
    const now = realNow();
    const overMs = now - this.lastAt;
    // A timer that is a little late has not missed a second.
    const seconds = Math.max(1, Math.round(overMs / EVERY_MS));
    this.lastAt = now;
    this.looks++;
    const at = Math.round(realWallNow());
    this.process.look();
    for (const { every, act } of this.chores) if (this.looks % every === 0) this.attempt(act);
    this.findTracks(at);
    for (const track of this.tracks.values()) track.look(seconds, overMs, at);
    if (!this.isWatched) return;
    this.lookOn();
    for (const listener of this.listeners) listener.looked();
  }

  /** What is done only while there are listeners. */
  private lookOn(): void {
    this.looker?.look(this.unwatched());
    if (this.looks > this.tasksUntil) this.looker?.stopTasks();
    this.diagnose();
  }

  /** Those that no watchdog watches. */
  private *unwatched(): Iterable<Watchable> {
    for (const { series } of this.tracks.values()) {
      for (const { probe } of series.alive()) {
        if (this.watchdogOf(probe) === undefined) yield this.watchable(series, probe);
      }
    }
  }

  /** New queues get a place, those that are gone lose it; of very many the steps become longer. */
  private findTracks(at = Math.round(realWallNow())): void {
    for (const [name, series] of allSeries) {
      if (!this.tracks.has(name) && series.alive().length > 0) {
        this.makeRoom(1, series.tiers.size, at);
        this.tracks.set(name, new Track(series, this.slaOf, this.stride, at));
      }
    }
    for (const [name, track] of this.tracks) {
      if (track.isAlive) continue;
      track.end();
      this.tracks.delete(name);
      this.reports.forget(name);
    }
  }

  private makeRoom(queues: number, tiers: number, at: number): void {
    let allTiers = tiers;
    for (const track of this.tracks.values()) allTiers += track.tierCount;
    const all = this.tracks.size + queues;
    const before = this.stride;
    while (this.stride !== undefined) {
      const bytes = all * ringBytes(this.stride) + allTiers * heatBytes(this.stride);
      if (bytes <= MAX_BYTES) break;
      this.stride = this.stride >= MAX_STRIDE ? undefined : this.stride * 2;
    }
    if (this.stride === before) return;
    for (const track of this.tracks.values()) track.widen(this.stride, at);
  }

  private readonly slaOf = (
    probe: Probe,
    tier: number,
    declared: SlaTarget | undefined,
  ): SlaTarget | undefined => {
    for (const watchdog of inspection.watchdogs) {
      if (watchdog.watches(probe)) return watchdog.slaOf(probe, tier) ?? declared;
    }
    return declared;
  };

  watchdogOf(probe: Probe): RunningWatchdog | undefined {
    for (const watchdog of inspection.watchdogs) if (watchdog.watches(probe)) return watchdog;
    return undefined;
  }

  watchable(series: QueueSeries, probe: Probe): Watchable {
    const known = this.watchables.get(probe);
    if (known !== undefined) return known;
    const tiers = series.alive().find((each) => each.probe === probe)?.tiers ?? [];
    const view = { series: [...tiers], slaOf: (tier: number) => tiers[tier]?.sla };
    const made = new WatchableQueue(series, view, probe, () => false);
    this.watchables.set(probe, made);
    return made;
  }

  /** Which there are, by name. */
  get queues(): ReadonlyMap<string, Track> {
    // What was instrumented since the last look is there, too.
    if (this.tracks.size < allSeries.size) this.attempt(() => this.findTracks());
    return this.tracks;
  }

  processRow(): ProcessRow {
    return { ...this.process.row(), hasWatchdog: inspection.watchdogs.size > 0 };
  }

  /** Worst first. */
  rows(): QueueRow[] {
    const { id } = this.process.info;
    return [...this.queues.values()]
      .map((track) => track.row(id, this.whyOf(track), this.redact))
      .sort((a, b) => b.rank - a.rank);
  }

  row(track: Track): QueueRow {
    return track.row(this.process.info.id, this.whyOf(track), this.redact);
  }

  private whyOf(track: Track): Why | undefined {
    const { name, worstTier } = track;
    return this.reports.whyOf(name, worstTier) ?? this.diagnoses.get(name)?.why;
  }

  /** Looks for causes of breaches that no watchdog has reported: of the worst ones, some at a time. */
  private diagnose(): void {
    for (const name of this.diagnoses.keys())
      if (!this.isLate(this.tracks.get(name))) this.diagnoses.delete(name);
    const due = [...this.tracks.values()].filter((track) => {
      if (!this.isLate(track) || this.reports.whyOf(track.name, track.worstTier) !== undefined) return false;
      const known = this.diagnoses.get(track.name);
      return known === undefined || this.looks - known.look >= DIAGNOSIS_LOOKS;
    });
    for (const track of due.slice(0, MAX_DIAGNOSES)) {
      const [report] = this.reportsOn(track);
      if (report === undefined) continue;
      const why = whyIn(headOf(report, this.process.info.id, ""));
      this.diagnoses.set(track.name, { why, look: this.looks });
    }
  }

  private isLate(track: Track | undefined): boolean {
    return track !== undefined && track.slaUsed > 1;
  }

  /** The queues of the name as they are now. `write`: into the folder for reports, too, where a watchdog has one. */
  reportsOn(track: Track, write = false): BreachReport[] {
    const { series } = track;
    return series.alive().map(({ probe }) => {
      const watchdog = this.watchdogOf(probe);
      const report = watchdog?.reportOn(probe, write);
      if (report !== undefined) return report as BreachReport;
      return this.lookerNow().reportOn(this.watchable(series, probe));
    });
  }

  /** It is asked what tasks wait for: that is noted for the next few seconds, where no watchdog does it. */
  watchTasks(): void {
    this.tasksUntil = this.looks + TASK_LOOKS;
    if (inspection.watchdogs.size === 0 && this.isWatched) this.lookerNow().watchTasks();
  }

  private lookerNow(): Looker {
    this.looker ??= new Looker({
      attempt: (act) => this.attempt(act),
      fault: (error) => this.fault(error),
    });
    return this.looker;
  }

  private told(news: WatchdogNews, subject: unknown): void {
    const at = Math.round(realWallNow());
    const { id } = this.process.info;
    if (news === "breach") {
      const report = subject as BreachReport;
      const head = this.reports.add(report, differenceOf(this.tracks.get(report.queue), report.waitMs));
      this.diagnoses.delete(report.queue);
      this.tell("breach", { ...head, sentence: this.redact(head.sentence) });
    } else if (news === "cleared") {
      this.tell("cleared", this.reports.cleared(subject as ClearedReport, at));
    } else {
      const stall = subject as StallRow & { readonly where?: string };
      const { startedAt, durationMs, where, correlationId } = stall;
      const row = {
        startedAt,
        durationMs,
        where,
        correlationId: correlationId === undefined ? undefined : this.redact(correlationId),
      };
      this.process.lastStall = row;
      this.tell("stall", { ...row, process: id });
    }
  }

  private tell<E extends "breach" | "cleared" | "stall">(event: E, data: ServerEvents[E]): void {
    for (const listener of this.listeners) listener.told(event, data);
  }

  attempt<R>(act: () => R): R | undefined {
    try {
      return act();
    } catch (error) {
      this.fault(error);
      return undefined;
    }
  }

  private faults = 0;

  private fault(error: unknown): void {
    if (this.faults++ > 0) return;
    contained(() =>
      diag.warn(
        "queuescope: something went wrong in the live view, which goes on (further ones are only counted)",
        plainError(error),
      ),
    );
  }
}

/** For how many looks after a question it is noted what tasks wait for. */
const TASK_LOOKS = 10;
