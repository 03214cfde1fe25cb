import { Watchdog } from "queuescope";
import type { OrderQueue } from "./orders.js";

/** The shortest SLA is half a second: five looks at its orders are evidence enough to say why they are late. */
const EVERY_MS = 100;
/** A line about the same tier comes no more often than this. */
const PAUSE_MS = 10_000;

/** Has a watchdog say why orders are late: in one line here, at length in the folder. What blocks the event loop it says by itself. */
export function watch(orders: OrderQueue, reportDir: string): Watchdog {
  const watchdog = new Watchdog({ everyMs: EVERY_MS, reportDir }).watch(orders).start();
  const toldAt = new Map<string, number>();
  watchdog.on("breach", ({ tier, waitMs, targetMs = 0, verdicts: [cause] }) => {
    const now = performance.now();
    if (now - (toldAt.get(tier) ?? Number.NEGATIVE_INFINITY) < PAUSE_MS) return;
    toldAt.set(tier, now);
    const why = cause === undefined ? "not known why" : `${cause.name} (${cause.confidence.toFixed(2)})`;
    console.log(
      `!!  ${tier} orders wait ${seconds(waitMs)} (SLA ${seconds(targetMs)}): ${why}; report in ${reportDir}`,
    );
  });
  return watchdog;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
