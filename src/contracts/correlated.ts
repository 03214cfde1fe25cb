/** What works on behalf of a request; a task makes its ID when it is first read. */
export interface Correlated {
  readonly correlationId: string;
  /** The notes of a task monitor on the task whose code runs. */
  readonly notes?: object | undefined;
}
