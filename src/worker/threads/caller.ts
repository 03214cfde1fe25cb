import type { TaskFacts } from "../../contracts/index.js";

/** The task that a pool hands to its handler, or whatever part of it there is. */
export interface ThreadCaller extends Partial<TaskFacts> {
  readonly signal?: AbortSignal | undefined;
  step?(name: string): void;
  progress?(ratio: number): void;
}
