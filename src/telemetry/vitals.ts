import { processWide } from "../process-wide.js";

/** Of this process. */
export const { vitals } = processWide;
