/** What a walk may pass. A test holds `limit`, what was measured last: who makes a way shorter lowers it. `goal` is where it is to go. */
export const LIMITS = {
  item: { files: { limit: 19, goal: 12 }, functions: { limit: 74, goal: 50 } },
  breach: { files: { limit: 50, goal: 25 } },
} as const;
