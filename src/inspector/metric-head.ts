import { INSTRUMENTS, type InstrumentName } from "../telemetry/metrics/instruments.js";
import { promName } from "../telemetry/metrics/labels.js";

/** What is said of a metric before its series. */
export function headOf(name: InstrumentName): string {
  const { kind, description } = INSTRUMENTS[name];
  const full = promName(name) + (kind === "counter" ? "_total" : "");
  return `# HELP ${full} ${description}\n# TYPE ${full} ${kind}\n`;
}
