import * as api from "@opentelemetry/api";
import { verdictOf } from "../checks/diagnose.js";
import type { BreachReport } from "./report.js";

/** WARN, in OpenTelemetry's numbers. */
const WARN = 13;

/** What we use of the logs API, which `@opentelemetry/api` has from 1.10 on. */
interface Logs {
  getLogger(name: string): {
    enabled?(options: object): boolean;
    emit(record: object): void;
  };
}

/** Tells the report as a log record, where there is an API for it and somebody listens. */
export function emitLogRecord(report: BreachReport): void {
  const { logs } = api as { logs?: Logs };
  const logger = logs?.getLogger("queuescope");
  if (logger === undefined || logger.enabled?.({ severityNumber: WARN, eventName: NAME }) === false) return;
  const { queue, tier } = report;
  logger.emit({
    eventName: NAME,
    severityNumber: WARN,
    severityText: "WARN",
    body: String(report),
    attributes: { "queue.name": queue, "queue.tier": tier, "queue.verdict": verdictOf(report) },
  });
}

const NAME = "queue.sla.breach";
