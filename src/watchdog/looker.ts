import { performance } from "node:perf_hooks";
import { realNow } from "../base/real-time.js";
import type { Probe, Watchable } from "../contracts/index.js";
import { Waits } from "../waits/waits.js";
import type { Guard } from "./events.js";
import { readOptions } from "./options.js";
import type { BreachReport } from "./report/report.js";
import { Reporter } from "./report/reporter.js";
import { cpuMs } from "./sampling/history.js";
import { ProcessorWatch } from "./sampling/processor.js";
import { knowledgeOf } from "./sampling/tasks.js";
import { type ProcessFacts, WatchedQueue } from "./sampling/watched-queue.js";

/**
 * Looks at queues that no watchdog watches, while a person does: it makes reports on them, and counts, announces and writes nothing. What blocks the
 * event loop it doesn't see; what tasks wait for only of those that begin after {@link watchTasks}.
 */
export class Looker {
  private readonly waits = new Waits();
  private readonly processor = new ProcessorWatch(realNow);
  private readonly facts: ProcessFacts;
  private readonly reporter: Reporter;
  private watched = new Map<Probe, WatchedQueue>();
  private utilization = performance.eventLoopUtilization();
  private busy = 0;
  private cpu = cpuMs();

  constructor(guard: Guard) {
    this.facts = {
      ...knowledgeOf(this.waits),
      stalls: () => [],
      loopUtilization: () => this.busy,
      processor: (overMs) => this.processor.over(overMs),
      cpuMs: () => this.cpu,
    };
    this.reporter = new Reporter(readOptions({ print: false }), this.facts, guard);
  }

  /** One look at each of them; of those that are missing, what is known is forgotten. To be called once a second. */
  look(queues: Iterable<Watchable>): void {
    this.processor.start();
    this.processor.look();
    const now = performance.eventLoopUtilization();
    this.busy = performance.eventLoopUtilization(now, this.utilization).utilization;
    this.utilization = now;
    this.cpu = cpuMs();
    const watched = new Map<Probe, WatchedQueue>();
    for (const queue of queues) {
      const known = this.watched.get(queue.probe) ?? new WatchedQueue(queue, Number.POSITIVE_INFINITY);
      watched.set(queue.probe, known);
      known.sample(this.facts);
    }
    this.watched = watched;
  }

  /** From now on, or until {@link stopTasks}, it is noted what tasks wait for. Can be called again. */
  watchTasks(): void {
    this.waits.start();
  }

  stopTasks(): void {
    this.waits.stop();
  }

  /** The queue as it is now. */
  reportOn(queue: Watchable): BreachReport {
    let watched = this.watched.get(queue.probe);
    if (watched === undefined) {
      watched = new WatchedQueue(queue, Number.POSITIVE_INFINITY);
      this.watched.set(queue.probe, watched);
      watched.sample(this.facts);
    }
    return this.reporter.report(watched);
  }

  stop(): void {
    this.waits.stop();
    this.processor.stop();
    this.watched.clear();
  }
}
