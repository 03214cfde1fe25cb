import type { Cause } from "../cause.js";

/** By the verdict that they should lead to; `healthy` to none. Each is loaded only by who runs it. */
export const CAUSES: Record<string, () => Promise<readonly Cause[]>> = {
  "event-loop-blocked": async () => (await import("./event-loop-blocked.js")).causes,
  "no-consumer": async () => (await import("./no-consumer.js")).causes,
  "consumers-paused": async () => (await import("./consumers-paused.js")).causes,
  "consumers-stuck": async () => (await import("./consumers-stuck.js")).causes,
  "never-resumes": async () => (await import("./never-resumes.js")).causes,
  "poison-item": async () => (await import("./poison-item.js")).causes,
  "downstream-saturated": async () => (await import("./downstream-saturated.js")).causes,
  "under-capacity": async () => (await import("./under-capacity.js")).causes,
  burst: async () => (await import("./burst.js")).causes,
  "starved-tier": async () => (await import("./starved-tier.js")).causes,
  "priority-inversion": async () => (await import("./priority-inversion.js")).causes,
  "producers-blocked": async () => (await import("./producers-blocked.js")).causes,
  "processor-starved": async () => (await import("./processor-starved.js")).causes,
  "gc-pressure": async () => (await import("./gc-pressure.js")).causes,
  "dependency-slower": async () => (await import("./dependency-slower.js")).causes,
  "handler-failing": async () => (await import("./handler-failing.js")).causes,
  healthy: async () => (await import("./healthy.js")).causes,
};

export const HEALTHY = "healthy";
