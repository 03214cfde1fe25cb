import { Watchdog } from "queuescope";

/** Tells the parent process why orders are late, in a line. */
export function watch(client: object, who: string): Watchdog {
  const watchdog = new Watchdog({ print: false, minReportIntervalMs: 5_000 }).watch(client).start();
  return watchdog.on("breach", ({ waitMs, verdicts: [first] }) => {
    const why = first === undefined ? "not known why" : `${first.name}: ${first.sentence}`;
    tell({ late: `${who} sees an order that waits for ${(waitMs / 1_000).toFixed(1)} s: ${why}` });
  });
}

/** What processes of this demo tell the one that started them. */
export interface Message {
  readonly ready?: true;
  /** An order was accepted. */
  readonly accepted?: string;
  /** An order was shipped. */
  readonly shipped?: string;
  readonly late?: string;
}

export function tell(message: Message): void {
  if (process.connected) process.send?.(message);
}
