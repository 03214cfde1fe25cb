import { type BreachReport, instrument, Watchdog } from "queuescope";
import type { Outcome } from "./outcome.js";

/** How long an item may wait, where a cause says nothing else. */
export const SLA_MS = 300;
/** How often the watchdog looks. */
const EVERY_MS = 50;
/** From when on the event loop counts as blocked: the default. */
const STALL_MS = 500;

/** Milliseconds by tier; `default` stands for the others. */
export type Targets = Readonly<Record<string, number>>;

/** Where a cause plays: gives it a watched queue, and waits for the first breach. */
export class Stage {
  private readonly watchdog: Watchdog;
  private stalls = 0;

  constructor(private readonly over: (outcome: Outcome) => void) {
    this.watchdog = new Watchdog({ everyMs: EVERY_MS, stallThresholdMs: STALL_MS });
    // The first counts; what was held back until a stall was known may be told together.
    this.watchdog.once("breach", (report) => this.end(report));
    this.watchdog.on("stall", () => this.stalls++);
    this.watchdog.on("error", (error) => {
      console.error(error);
      process.exit(1);
    });
  }

  /** The queue with telemetry, under watch. It is to be called before a pool is made. */
  watched<Q extends object>(queue: Q, targets: Targets = { default: SLA_MS }): Q {
    const sla = Object.fromEntries(
      Object.entries(targets).map(([tier, targetMs]) => [tier, { targetMs, objective: 0.99 }]),
    );
    // As an object: of which tiers it has, nothing is known here.
    instrument<object>(queue, { name: "work", sla, traces: "never" });
    this.watchdog.watch(queue).start();
    return queue;
  }

  /** Ends the run. */
  end(report?: BreachReport): void {
    const verdict = report === undefined ? undefined : (report.verdicts[0]?.name ?? "unknown");
    this.over({ verdict, stalls: this.stalls, text: String(report ?? "") });
  }
}
