import { type BreachReport, Watchdog, type WatchdogOptions } from "../../../src/index.js";

/** How often the broker is asked. */
export const POLL = { everyMs: 200 };

export function slaOf(targetMs: number): { readonly default: { readonly targetMs: number } } {
  return { default: { targetMs } };
}

/** A watchdog on one client: what it says first, and all that it says. */
export class Watch {
  readonly reports: BreachReport[] = [];
  private readonly watchdog: Watchdog;
  private readonly breach: Promise<BreachReport>;

  constructor(client: object, options: WatchdogOptions = {}) {
    this.watchdog = new Watchdog({ everyMs: 100, print: false, ...options }).watch(client).start();
    this.watchdog.on("breach", (report) => this.reports.push(report));
    this.breach = new Promise((resolve) => this.watchdog.once("breach", resolve));
  }

  /** The first verdict of the first report, with its sentence: what is printed, and counted. */
  async first(): Promise<string> {
    const [verdict] = (await this.breach).verdicts;
    return verdict === undefined ? "unknown" : `${verdict.name}: ${verdict.sentence}`;
  }

  async stop(): Promise<void> {
    await this.watchdog.stop();
  }
}
