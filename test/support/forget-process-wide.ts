import { vi } from "vitest";

/** What is imported from now on is as in a process that has nothing of this library yet. */
export function forgetProcessWide(): void {
  vi.resetModules();
  Reflect.deleteProperty(globalThis, Symbol.for("queuescope"));
}
