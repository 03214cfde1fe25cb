import type { Fault } from "./fault.js";

const BLOCKED_MS = 1_500;
/** In between scrapes and requests get through. */
const PAUSE_MS = 1_200;

export const blockedLoop: Fault = {
  name: "blocked-loop",
  says: `a loop that computes blocks the event loop, for ${BLOCKED_MS} ms at a time`,
  begin() {
    let timer = setTimeout(function block() {
      computeForTooLong();
      timer = setTimeout(block, PAUSE_MS);
    });
    return () => clearTimeout(timer);
  },
};

/** Has a name to be found by. */
function computeForTooLong(): void {
  for (const end = performance.now() + BLOCKED_MS; performance.now() < end; );
}
