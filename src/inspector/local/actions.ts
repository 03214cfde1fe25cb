import { errorLine } from "../../base/error-text.js";
import { printToConsole } from "../../base/output.js";
import { realWallNow } from "../../base/real-time.js";
import { recorder } from "../../base/recorder.js";
import { shown } from "../../base/shown.js";
import type { PoolControls, PoolView } from "../../contracts/index.js";
import type { Hub } from "../hub/hub.js";
import type { Track } from "../hub/track.js";
import type { ActionRecord, ActionRequest } from "../protocol.js";
import { ViewError } from "../view.js";

/** Does what a person asks for, and tells of it: a line on stderr, an entry in the flight recorder, an event. */
export class Actions {
  private readonly listeners: ((record: ActionRecord) => void)[] = [];

  constructor(private readonly hub: Hub) {}

  onRecord(listener: (record: ActionRecord) => void): void {
    this.listeners.push(listener);
  }

  /** Throws a `ViewError` for what can't be done; nothing has happened then. */
  async take(request: ActionRequest, by: string): Promise<ActionRecord> {
    const { action, queue, pool, concurrency } = request;
    const track = this.hub.queues.get(queue);
    if (track === undefined) throw new ViewError("not_found", `there is no queue "${queue}" in this process`);
    const outcome = this.perform(track, request);
    const record: ActionRecord = {
      at: Math.round(realWallNow()),
      process: this.hub.process.info.id,
      action,
      queue,
      pool,
      concurrency,
      by,
      outcome,
    };
    const what = `${action}${concurrency === undefined ? "" : ` to ${concurrency}`}, asked for by ${shown(by)}`;
    recorder.note(queue, what);
    printToConsole(`queuescope: ${shown(queue)}: ${what}: ${outcome}`);
    for (const listener of this.listeners) listener(record);
    return record;
  }

  private perform(track: Track, request: ActionRequest): string {
    if (request.action === "report") {
      const { length } = this.hub.reportsOn(track, true);
      return `${length === 1 ? "a report was" : `${length} reports were`} made, and written where the watchdog has a folder`;
    }
    const pools = poolsOf(track, request.pool);
    for (const { controls } of pools) this.steer(controls, request);
    return `done with ${pools.map(({ name }) => shown(name)).join(", ")}`;
  }

  private steer(controls: PoolControls, { action, concurrency }: ActionRequest): void {
    try {
      if (action === "pause") controls.pause();
      else if (action === "resume") controls.resume();
      else if (action === "drain") void controls.drain();
      else if (action === "resize" && concurrency !== undefined) controls.resize(concurrency);
    } catch (error) {
      throw new ViewError("conflict", errorLine(error));
    }
  }
}

/** Those that can be steered. */
function poolsOf(track: Track, name: string | undefined): { name: string; controls: PoolControls }[] {
  const all: PoolView[] = [];
  for (const { probe } of track.series.alive()) all.push(...(probe.pools ?? []));
  const wanted = name === undefined ? all : all.filter((pool) => pool.name === name);
  if (wanted.length === 0) {
    const words = name === undefined ? "no worker pool" : `no worker pool "${name}"`;
    throw new ViewError("not_found", `the queue "${track.name}" has ${words} in this process`);
  }
  return wanted.flatMap(({ name: each, controls }) => {
    if (controls === undefined) throw new ViewError("conflict", `the pool "${each}" can't be steered`);
    return [{ name: each, controls }];
  });
}
