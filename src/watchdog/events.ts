import type { EventEmitter } from "node:events";
import { diag } from "@opentelemetry/api";
import { emit } from "../base/callback.js";
import { plainError } from "../base/error-text.js";
import { contained } from "../base/output.js";
import { processWide } from "../base/process-wide.js";
import type { Stall } from "../stall-monitor/stall.js";
import type { ClearedReport } from "./report/cleared.js";
import type { BreachReport } from "./report/report.js";

/** The events of a watchdog, with their arguments. */
export interface WatchdogEvents {
  /** The oldest item of a tier has waited longer than its SLA allows. */
  breach: [report: BreachReport];
  /** A breach has ended. No `cleared` for a breach that was not reported. */
  cleared: [cleared: ClearedReport];
  /** The event loop was blocked for longer than `stallThresholdMs`, and turns again. */
  stall: [stall: Stall];
  /** Something in the watchdog failed, or a callback or listener threw; the watchdog goes on. */
  error: [error: unknown];
}

const { inspection } = processWide;

/** Emits the events, and contains whatever throws, listeners included: it becomes an `error` event, or a warning where that has no listener. */
export class Events {
  constructor(private readonly emitter: EventEmitter<WatchdogEvents>) {}

  /** Calls every listener, whatever another one throws; it may be an async function. A throwing `error` listener is swallowed. */
  emit<E extends keyof WatchdogEvents>(event: E, ...args: WatchdogEvents[E]): void {
    if (event !== "error") inspection.told?.(event, args[0]);
    emit(this.emitter, event, args, (error) => {
      if (event !== "error") this.fault(error);
    });
  }

  /** What `act` returns, or undefined where it throws: that is a {@link fault}. */
  attempt<R>(act: () => R): R | undefined {
    try {
      return act();
    } catch (error) {
      this.fault(error);
      return undefined;
    }
  }

  fault(error: unknown): void {
    if (this.emitter.listenerCount("error") > 0) {
      this.emit("error", error);
      return;
    }
    contained(() =>
      diag.warn("queuescope: something went wrong in the watchdog, which goes on", plainError(error)),
    );
  }
}

/** Where errors go that concern only the watchdog. */
export type Guard = Pick<Events, "attempt" | "fault">;
