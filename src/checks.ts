/** What a breach is put down to, and what a check of your own goes by: see docs/diagnosis.md. */

export { CHECKS } from "./watchdog/checks/index.js";
export type { WorkerReport } from "./watchdog/report/report.js";
export type { TaskGroupReport, TaskReport } from "./watchdog/report/task-report.js";
export type {
  Backlog,
  Check,
  MostAttempts,
  PoolNow,
  Rates,
  Situation,
  StallNow,
  TaskGroup,
  TaskNow,
  TierNow,
  Turns,
  Verdict,
  WaitNow,
} from "./watchdog/situation.js";
