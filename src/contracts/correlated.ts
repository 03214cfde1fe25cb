/** What works on behalf of a request; a task makes its ID when it is first read. */
export interface Correlated {
  readonly correlationId: string;
  /** What an onlooker notes down about the task whose code runs. */
  readonly sheet?: object | undefined;
}
