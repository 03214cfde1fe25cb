import type * as Inspector from "node:inspector";

/** Asks main, whatever it is doing. */
export interface Inquiry {
  /** Evaluates an expression there. It is answered when main next enters a function or repeats a loop; native code does neither. */
  ask(expression: string): Promise<unknown>;
  /** Lets go of main: else it would say at its end that it waits for a debugger. */
  close(): void;
}

/**
 * Connects for each question, and not for longer.
 *
 * Runs in the thread: its source is sent there, so it refers to nothing outside.
 */
export function makeInquiry(inspector: typeof Inspector): Inquiry {
  const open = new Set<Inspector.Session>();
  return {
    ask(expression) {
      return new Promise((resolve, reject) => {
        const session = new inspector.Session();
        session.connectToMainThread();
        open.add(session);
        const params = { expression, returnByValue: true, silent: true };
        session.post(
          "Runtime.evaluate",
          params,
          (error: Error | null, answer: Inspector.Runtime.EvaluateReturnType) => {
            if (open.delete(session)) session.disconnect();
            if (error !== null) reject(error);
            else if (answer.exceptionDetails !== undefined) reject(new Error(answer.exceptionDetails.text));
            else resolve(answer.result.value);
          },
        );
      });
    },
    close() {
      for (const session of open) session.disconnect();
      open.clear();
    },
  };
}
