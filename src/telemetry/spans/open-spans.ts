import { activeTaskMonitor } from "../context/active-task-monitor.js";

/** As OpenTelemetry's SDKs have it. */
export interface OpenSpans {
  onStart(span: object, parentContext: object): void;
  onEnd(span: object): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * A span processor that lets a watchdog know which spans of a task are open. It exports nothing and, while no watchdog runs, does
 * nothing. `startTelemetry` has it already; for an SDK of your own: `spanProcessors: [openSpans(), …]`.
 *
 * @example
 * import { NodeSDK } from "@opentelemetry/sdk-node";
 *
 * const sdk = new NodeSDK({ spanProcessors: [openSpans()] });
 * sdk.start();
 * await sdk.shutdown();
 */
export function openSpans(): OpenSpans {
  return {
    onStart: (span) => activeTaskMonitor.current?.spanStarted(span),
    onEnd: (span) => activeTaskMonitor.current?.spanEnded(span),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}
