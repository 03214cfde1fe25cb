import assert from "node:assert/strict";

/** In vain is what is not so after this many turns of the event loop and this much time, in milliseconds. */
const MIN_TURNS = 300;
const MIN_MS = 1_500;

/** The next turn of the event loop, when everything that only waits for promises has happened. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves as soon as it is so; rejects, in the words of `otherwise`, if it won't be. */
export async function eventually(isSo: () => boolean, otherwise: () => string): Promise<void> {
  const from = performance.now();
  for (let turns = 0; !isSo(); turns++) {
    if (turns >= MIN_TURNS && performance.now() - from >= MIN_MS) assert.fail(otherwise());
    await (turns < MIN_TURNS ? turn() : new Promise((resolve) => setTimeout(resolve, 5)));
  }
}
