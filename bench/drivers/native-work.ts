import { pbkdf2Sync } from "node:crypto";
import { median } from "../statistics.js";

/** So many turns take as long as {@link calibrate} was told. */
let turns = 1;

/**
 * The same amount of work each time, which is native: a loop that looked at the clock until the time is over would do less where it is
 * disturbed, its garbage would cost more than a watchdog, and how V8 compiles it depends on what is around it.
 */
export function work(): void {
  pbkdf2Sync("password", "salt", turns, 32, "sha256");
}

/** Makes one {@link work} take some microseconds. */
export function calibrate(micros: number): void {
  const tries = Array.from({ length: 200 }, () => {
    turns = 1_000;
    const startedAt = performance.now();
    work();
    return (performance.now() - startedAt) * 1_000;
  });
  turns = Math.max(1, Math.round((1_000 * micros) / median(tries)));
}
