/** Whoever works on behalf of a request; a task makes its ID only when somebody asks. */
export interface Correlated {
  readonly correlationId: string;
  /** What an onlooker notes down about the task whose code runs. */
  readonly sheet?: object | undefined;
}
