import { constants } from "node:os";
import type { Order, Unshipped } from "./orders.js";

/** One Ctrl+C may arrive twice, in milliseconds: from the terminal, and from npm, which hands it on. */
const ECHO_MS = 500;

/** Resolves, with the reason, at the first signal or after the time; a second one, if it is no echo of the first, is `again`'s. */
export function stopRequested(seconds: number, again: (exitCode: number) => void): Promise<string> {
  return new Promise((resolve) => {
    if (seconds !== Number.POSITIVE_INFINITY)
      setTimeout(resolve, seconds * 1_000, `${seconds} s are over`).unref();
    let first: { name: string; at: number } | undefined;
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.on(name, () => {
        if (first === undefined) {
          first = { name, at: performance.now() };
          resolve(name);
        } else if (name !== first.name || performance.now() - first.at >= ECHO_MS) {
          again(128 + constants.signals[name]);
        }
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
