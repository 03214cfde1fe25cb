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

  /** Resolves with the first verdict of a report, once that is like this: what a server is told to do may come later than the first breach. */
  async says(pattern: RegExp): Promise<string> {
    return new Promise((resolve) => {
      const look = ({ verdicts: [first] }: BreachReport) => {
        const said = `${first?.name}: ${first?.sentence}`;
        if (pattern.test(said)) resolve(said);
      };
      this.reports.forEach(look);
      this.watchdog.on("breach", look);
    });
  }

  async stop(): Promise<void> {
    await this.watchdog.stop();
  }
}
