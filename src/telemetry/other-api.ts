import { metrics, trace } from "@opentelemetry/api";
import { warnThat } from "../base/warning.js";

/** Where every 1.x copy of `@opentelemetry/api` looks for what was registered. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

interface Registered {
  readonly version?: unknown;
  readonly trace?: unknown;
  readonly metrics?: unknown;
}

let isWarned = false;

/**
 * Warns, once, if something is registered with another copy of `@opentelemetry/api` that ours ignores: one of an older minor version, as
 * dd-trace's 1.9 is to a 1.10. Ours then makes no spans and knows no context, without a word. Never throws.
 */
export function warnOfOtherApi(): void {
  if (isWarned) return;
  try {
    const registered = (globalThis as Record<symbol, Registered | undefined>)[REGISTERED];
    if (registered === undefined || !isIgnored(registered)) return;
    const version = /^\d+\.\d+\.\d+/.exec(String(registered.version))?.[0];
    if (version === undefined) return;
    isWarned = true;
    warnThat(
      `OpenTelemetry was registered with @opentelemetry/api ${version}, and queuescope gets another, newer copy of that package, which ignores ` +
        `the older one: queues have no traces, and none of its context. Let all use one copy: npm install @opentelemetry/api@${version}, or ` +
        `"overrides": { "@opentelemetry/api": "${version}" } in package.json; npm ls @opentelemetry/api shows who brings which`,
    );
  } catch {
    // Then it is not one of OpenTelemetry's.
  }
}

/** Whether there is something that our copy doesn't find. Where it finds nothing it shows what it made itself. */
function isIgnored({ trace: tracers, metrics: meters }: Registered): boolean {
  if (tracers !== undefined && trace.getTracerProvider() !== tracers) return true;
  return meters !== undefined && metrics.getMeterProvider() !== meters;
}
