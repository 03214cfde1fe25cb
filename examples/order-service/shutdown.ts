import { constants } from "node:os";
import type { Order, Unshipped } from "./orders.js";

/** Resolves, with the reason, at the first signal or after the time; the second signal is `again`'s. */
export function stopRequested(seconds: number, again: (exitCode: number) => void): Promise<string> {
  return new Promise((resolve) => {
    if (seconds !== Number.POSITIVE_INFINITY)
      setTimeout(resolve, seconds * 1_000, `${seconds} s are over`).unref();
    let signals = 0;
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.on(name, () => {
        if (signals++ === 0) resolve(name);
        else again(128 + constants.signals[name]);
      });
    }
  });
}

export function whatWasLeft({ waiting, inFlight }: Unshipped): string {
  if (waiting.length + inFlight.length === 0)
    return "Nothing was left: every order that was accepted is processed.";
  return `Left: ${count(waiting, "waiting")} and ${count(inFlight, "in flight")}.`;
}

function count(orders: readonly Order[], state: string): string {
  const ids = orders.slice(0, 3).map((order) => order.id);
  if (ids.length < orders.length) ids.push("…");
  return `${orders.length} ${state}${ids.length > 0 ? ` (${ids.join(", ")})` : ""}`;
}
