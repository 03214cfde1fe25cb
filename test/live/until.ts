import { setTimeout as sleep } from "node:timers/promises";

/** Longest wait, in milliseconds: a limit for what never comes, not for how long anything takes on a crowded machine. */
const PATIENCE_MS = 180_000;

/** Asks, again and again, until there is an answer; then that is it. What `ask` throws ends it, too. */
export async function until<T>(
  what: string | (() => string),
  ask: () => T | undefined | Promise<T | undefined>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  for (const deadline = Date.now() + patienceMs; ; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() >= deadline)
      throw new Error(`waited ${patienceMs / 1_000} s for ${typeof what === "string" ? what : what()}`);
    await sleep(50);
  }
}
