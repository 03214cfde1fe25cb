import { processWide } from "./process-wide.js";

export type { Transition } from "./flight-recorder.js";

/** The flight recorder of the process. */
export const { recorder } = processWide;
