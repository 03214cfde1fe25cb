import type { Scenario } from "./scenario.js";

/** The groups by name; a group's peers are loaded only in the processes that need them. */
export const GROUPS = {
  heaps: async (): Promise<readonly Scenario[]> => (await import("./cases/heaps.js")).heaps,
  fifo: async (): Promise<readonly Scenario[]> => (await import("./cases/fifo.js")).fifo,
  handoff: async (): Promise<readonly Scenario[]> => (await import("./cases/handoff.js")).handoff,
  instrumented: async (): Promise<readonly Scenario[]> =>
    (await import("./cases/instrumented.js")).instrumented,
  workers: async (): Promise<readonly Scenario[]> => (await import("./cases/workers.js")).workers,
  watchdog: async (): Promise<readonly Scenario[]> => (await import("./cases/watchdog.js")).watchdog,
  wrapped: async (): Promise<readonly Scenario[]> => (await import("./cases/wrapped.js")).wrapped,
  memory: async (): Promise<readonly Scenario[]> => (await import("./cases/memory.js")).memory,
  startup: async (): Promise<readonly Scenario[]> => (await import("./cases/startup.js")).startup,
  python: async (): Promise<readonly Scenario[]> => (await import("./cases/python.js")).python,
} as const;

export type GroupName = keyof typeof GROUPS;

export function isGroupName(name: string): name is GroupName {
  return Object.hasOwn(GROUPS, name);
}
