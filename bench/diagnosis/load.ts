import { setTimeout as sleep } from "node:timers/promises";

/** How often arrivals that are due are put. */
const TICK_MS = 5;
/** Of a crowd, how many come at once. */
const CROWD = 50;

/** Calls `put` so many times a second, at random times, as independent clients do. Returns how to end that. */
export function arrivals(perSecond: number | ((ms: number) => number), put: () => unknown): () => void {
  const startedAt = performance.now();
  let now = 0;
  let due = -Math.log(Math.random());
  const timer = setInterval(() => {
    const until = performance.now() - startedAt;
    for (; now < until; now += TICK_MS) {
      due -= ((typeof perSecond === "number" ? perSecond : perSecond(now)) * TICK_MS) / 1_000;
      while (due < 0) {
        due -= Math.log(Math.random());
        void put();
      }
    }
  }, TICK_MS);
  return () => clearInterval(timer);
}

/** Calls `put` so many times, soon, and without keeping the event loop busy. */
export function crowd(times: number, put: () => unknown): void {
  let left = times;
  const timer = setInterval(() => {
    for (let i = 0; i < CROWD && left > 0; i++, left--) void put();
    if (left === 0) clearInterval(timer);
  }, TICK_MS);
}

/** Takes so long, half of it more or less. */
export async function work(ms: number): Promise<void> {
  await sleep(ms * (0.5 + Math.random()));
}

export function after(ms: number, act: () => unknown): void {
  setTimeout(act, ms);
}

/** Keeps the event loop busy for so long. */
export function spin(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

export { sleep };
