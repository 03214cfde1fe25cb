import type { Stage } from "./stage.js";

/** A real program in which something goes wrong, or nothing does. */
export interface Cause {
  readonly name: string;
  /** Options of Node for its process. */
  readonly execArgv?: readonly string[];
  /** Sets the program up; it goes on by timers until the process is ended. */
  readonly run: (stage: Stage) => unknown;
}
