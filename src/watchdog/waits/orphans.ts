import type { Sheet, Token } from "./sheet.js";

/** How many collections a token must outlive to count as alive: one may have been half done when it was let go. */
const PROOF = 2;

let collections = 0;
/** Is a sentinel out, to tell of the next collection? */
let isWatching = false;

/** Holds sheets, which hold nothing of the task's context. `undefined` stands for a sentinel. */
const tokens = new FinalizationRegistry<Sheet | undefined>((sheet) => {
  if (sheet !== undefined) sheet.isOrphan = true;
  else {
    collections++;
    isWatching = false;
  }
});

/**
 * Can the task never go on? True is proven: nothing holds its async context any more, and its handler is not over. False: something
 * did at the last collection. Undefined: not known. Only a collection of the whole heap can tell: from the first call on, the token
 * is left to it. Until then nothing is registered, so that tasks which end soon cost nothing.
 */
export function neverResumes(sheet: Sheet): boolean | undefined {
  if (sheet.isSettled) return undefined;
  if (sheet.isOrphan) return true;
  if (sheet.token !== undefined) release(sheet, sheet.token);
  if (!isWatching) {
    isWatching = true;
    tokens.register({}, undefined);
  }
  return collections >= sheet.releasedAt! + PROOF ? false : undefined;
}

function release(sheet: Sheet, token: Token): void {
  tokens.register(token, sheet, sheet);
  sheet.token = undefined;
  sheet.releasedAt = collections;
}

/** The handler is over, or nobody can tell when it will be. */
export function settle(sheet: Sheet): void {
  sheet.isSettled = true;
  if (sheet.releasedAt !== undefined) tokens.unregister(sheet);
  sheet.token = undefined;
}
