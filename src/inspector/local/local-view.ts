import { realWallNow } from "../../base/real-time.js";
import type { BreachReport } from "../../watchdog/report/report.js";
import { differenceOf } from "../hub/different.js";
import type { Hub } from "../hub/hub.js";
import { headOf } from "../hub/reports.js";
import type { Track } from "../hub/track.js";
import {
  type ActionRequest,
  type GateRow,
  type HeadRow,
  type Hello,
  PROTOCOL,
  type ProcessInfo,
  type QueueDetail,
  type ReportAnswer,
  type ReportList,
  type ReportsNow,
  type ServerEvents,
  type Snapshot,
  type Tree,
} from "../protocol.js";
import { findProcess, type Question, type View, ViewError, type Watcher } from "../view.js";
import type { Actions } from "./actions.js";
import { Differ } from "./changes.js";
import { metricsInText } from "./metrics-text.js";
import { headRow, type Payload, poolRows, taskRows } from "./rows.js";
import { search } from "./search.js";

/** How many items that are served next are shown. */
const MAX_HEADS = 10;

/** This process. */
export class LocalView implements View {
  private readonly watchers = new Set<Watcher>();
  private readonly differ = new Differ();
  private unlisten: (() => void) | undefined;

  constructor(
    private readonly hub: Hub,
    private readonly payload: Payload,
    private readonly actions: Actions | undefined,
  ) {
    actions?.onRecord((record) => this.broadcast("action", JSON.stringify(record)));
  }

  get processes(): readonly ProcessInfo[] {
    return [this.hub.process.info];
  }

  async hello(): Promise<Pick<Hello, "processes">> {
    return { processes: this.processes };
  }

  async snapshot(process?: string): Promise<Snapshot> {
    this.check(process);
    return this.snapshotNow();
  }

  async watch(watcher: Watcher): Promise<() => void> {
    this.check(watcher.process);
    if (watcher.queue !== undefined) this.track(watcher.queue);
    this.unlisten ??= this.hub.listen({
      looked: () => this.looked(),
      told: (event, data) => this.broadcast(event, JSON.stringify(data)),
    });
    // What is compared with must be what all have: the ones that are there get what is new, and this one everything.
    const processRow = this.hub.processRow();
    const rows = this.hub.rows();
    const changes = this.differ.changes(now(), processRow, rows);
    if (this.watchers.size > 0) this.broadcast("changes", JSON.stringify(changes));
    watcher.send("snapshot", JSON.stringify(this.snapshotNow(rows)));
    this.watchers.add(watcher);
    this.sendDetail([watcher]);
    return () => {
      this.watchers.delete(watcher);
      if (this.watchers.size > 0) return;
      this.unlisten?.();
      this.unlisten = undefined;
    };
  }

  async ask(question: Question): Promise<string> {
    this.check(question.process);
    if (question.route === "metrics") return metricsInText();
    if (question.route === "report" && question.format === "text") return this.reportText(question);
    return JSON.stringify(this.answer(question));
  }

  private answer(question: Exclude<Question, { route: "metrics" }>): object {
    switch (question.route) {
      case "queue":
        return this.detail(this.track(question.queue));
      case "history":
        return this.track(question.queue).history(this.id);
      case "reports":
        return { reports: this.hub.reports.list() } satisfies ReportList;
      case "report":
        return question.id !== undefined ? this.kept(question.id) : this.reportNow(question.queue);
      case "tree":
        return this.tree(question.queue);
      case "search":
        return search(this.hub, question.q, this.payload);
    }
  }

  async act(request: ActionRequest, by: string): Promise<string> {
    if (this.actions === undefined)
      throw new ViewError("forbidden", "actions are not allowed in this process");
    return JSON.stringify({ done: await this.actions.take(request, by) });
  }

  private get id(): string {
    return this.processes[0]!.id;
  }

  private check(process: string | undefined): void {
    if (process !== undefined && findProcess(this.processes, process) === undefined)
      throw new ViewError("not_found", `this is the process "${this.id}", not "${process}"`);
  }

  private track(queue: string): Track {
    const track = this.hub.queues.get(queue);
    if (track === undefined) throw new ViewError("not_found", `there is no queue "${queue}" in this process`);
    return track;
  }

  private snapshotNow(rows = this.hub.rows()): Snapshot {
    const { hub } = this;
    return {
      protocol: PROTOCOL,
      at: now(),
      processes: [hub.processRow()],
      queues: rows.map((row) => ({ ...row, spark: hub.queues.get(row.name)?.spark() })),
    };
  }

  private looked(): void {
    const changes = this.differ.changes(now(), this.hub.processRow(), this.hub.rows());
    this.broadcast("changes", JSON.stringify(changes));
    this.sendDetail(this.watchers);
  }

  /** Made once for all who look at the same queue. */
  private sendDetail(watchers: Iterable<Watcher>): void {
    const made = new Map<string, string>();
    for (const watcher of watchers) {
      const { queue } = watcher;
      if (queue === undefined) continue;
      const track = this.hub.queues.get(queue);
      if (track === undefined) continue;
      let json = made.get(queue);
      if (json === undefined) {
        json = JSON.stringify(this.detail(track));
        made.set(queue, json);
      }
      watcher.send("queue", json);
    }
  }

  private broadcast(event: keyof ServerEvents, json: string): void {
    for (const watcher of this.watchers) watcher.send(event, json);
  }

  private detail(track: Track): QueueDetail {
    const { hub, payload } = this;
    hub.watchTasks();
    const { redact } = hub;
    const reports = hub.reportsOn(track);
    const head: HeadRow[] = [];
    for (const { probe } of track.series.alive()) {
      const queue = hub.watchable(track.series, probe);
      for (const each of probe.heads?.(MAX_HEADS) ?? []) head.push(headRow(each, queue, redact, payload));
    }
    return {
      at: now(),
      row: hub.row(track),
      head: head.sort((a, b) => (b.waitMs ?? 0) - (a.waitMs ?? 0)).slice(0, MAX_HEADS),
      tasks: reports.flatMap((report) => taskRows(report, redact)),
      pools: reports.flatMap((report) => poolRows(report, redact)),
      gates: gateRows(reports),
      failures: track.failures.list(redact),
    };
  }

  private tree(queue: string | undefined): Tree {
    const { hub } = this;
    hub.watchTasks();
    const tracks = queue === undefined ? [...hub.queues.values()] : [this.track(queue)];
    const queues = tracks.flatMap((track) => {
      const { inFlight } = track.row(this.id, undefined, hub.redact);
      if (queue === undefined && !inFlight) return [];
      const tasks = hub.reportsOn(track).flatMap((report) => taskRows(report, hub.redact));
      return [{ name: track.name, inFlight, tasks }];
    });
    return { at: now(), processes: [{ process: this.processes[0]!, queues }] };
  }

  private kept(id: string): ReportAnswer {
    const found = this.hub.reports.find(id);
    if (found === undefined) throw new ViewError("not_found", `there is no report "${id}", or it is too old`);
    return found;
  }

  private reportNow(queue: string | undefined): ReportAnswer | ReportsNow {
    this.hub.watchTasks();
    if (queue !== undefined) {
      const track = this.track(queue);
      return this.answerFor(track, this.hub.reportsOn(track)[0]);
    }
    const all = [...this.hub.queues.values()].flatMap((track) =>
      this.hub.reportsOn(track).map((report) => this.answerFor(track, report)),
    );
    return { process: this.id, reports: all };
  }

  private answerFor(track: Track, report: BreachReport | undefined): ReportAnswer {
    if (report === undefined) throw new ViewError("not_found", `the queue "${track.name}" is gone`);
    return {
      ...headOf(report, this.id, ""),
      report: report.toJSON(),
      text: String(report),
      different: differenceOf(track, report.waitMs),
    };
  }

  private reportText({ id, queue }: { id?: string | undefined; queue?: string | undefined }): string {
    if (id !== undefined) return `${this.kept(id).text}\n`;
    const answer = this.reportNow(queue);
    const reports = "reports" in answer ? answer.reports : [answer];
    return reports.map(({ text }) => `${text}\n`).join("\n");
  }
}

function gateRows(reports: readonly BreachReport[]): GateRow[] {
  const rows = new Map<string, GateRow>();
  for (const { gates } of reports) {
    for (const { name, limit, inFlight, waiting, isOpen } of gates) {
      rows.set(name, { name, limit: Number.isFinite(limit) ? limit : undefined, inFlight, waiting, isOpen });
    }
  }
  return [...rows.values()];
}

function now(): number {
  return Math.round(realWallNow());
}
