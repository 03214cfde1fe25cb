/** A queue that hands its tasks to a worker which was fixed at its construction. */
export interface Claimant {
  /**
   * The task that the queue hands out at this moment, if it is for the item. `surely` asks only for what can't be another queue's.
   * It is claimed once.
   */
  claim(item: unknown, surely: boolean): object | undefined;
  /** Calls the handler of a task that was claimed, in the context of its put. */
  run(task: object, handler: () => unknown, args: unknown[]): unknown;
}
