import { processWide } from "../../base/process-wide.js";

/** Who looks on while tasks run: a watchdog, if there is one. */
export const { activeTaskMonitor } = processWide;
