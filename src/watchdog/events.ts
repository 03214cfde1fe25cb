import type { EventEmitter } from "node:events";
import { diag } from "@opentelemetry/api";
import { emit } from "../base/callback.js";
import { plainError } from "../base/error-text.js";
import { contained } from "../base/output.js";
import type { Stall } from "../stall-monitor/stall.js";
import type { Guard } from "./guard.js";
import type { BreachReport } from "./report/report.js";

/** What a watchdog tells, by event. */
export interface WatchdogEvents {
  /** The oldest item of a tier has waited longer than its SLA allows. */
  breach: [report: BreachReport];
  /** It doesn't any more; told only if the breach was. */
  cleared: [cleared: { queue: string; tier: string; lastedMs: number }];
  /** The event loop stood still. */
  stall: [stall: Stall];
  /** Something of the watchdog's own went wrong, or a listener threw; it goes on. */
  error: [error: unknown];
}

/** Tells the listeners, and breaks neither by them nor by anything else that throws: that is told as `error`, or else logged. */
export class Events implements Guard {
  constructor(private readonly emitter: EventEmitter<WatchdogEvents>) {}

  /** Each listener is told, whatever another one throws; it may be an async function. */
  tell<E extends keyof WatchdogEvents>(event: E, ...told: WatchdogEvents[E]): void {
    const failed = (error: unknown) => {
      // When one that is told of errors fails, nobody is left to be told.
      if (event !== "error") this.fault(error);
    };
    emit(this.emitter, event, told, failed);
  }

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
      this.tell("error", error);
      return;
    }
    contained(() =>
      diag.warn("queuescope: something went wrong in the watchdog, which goes on", plainError(error)),
    );
  }
}
