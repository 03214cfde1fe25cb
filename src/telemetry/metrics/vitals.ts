import { processWide } from "../../base/process-wide.js";

/** Of this process. */
export const { vitals } = processWide;
