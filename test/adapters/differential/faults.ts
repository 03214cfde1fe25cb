import type { Transcript } from "./transcript.js";

const EVENTS = ["unhandledRejection", "rejectionHandled", "uncaughtException", "warning"] as const;

/** What we say ourselves of a worker that isn't wrapped, once for each name: some plays are about that. */
const UNWRAPPED = /^the worker of the queue "\w+" is not wrapped by instrumentHandler/;

/** Writes down what was not caught, in place of who else listens to that, until it is stopped. */
export class Faults {
  private readonly others = EVENTS.map((event) => [event, process.listeners(event as "warning")] as const);

  constructor(transcript: Transcript) {
    for (const event of EVENTS) {
      process.removeAllListeners(event);
      process.on(event, (...args: unknown[]) => {
        if (event === "warning" && UNWRAPPED.test((args[0] as Error).message)) return;
        // The promise is known by name only if the user has seen it; who throws where is up to the engine.
        const told = event === "unhandledRejection" || event === "rejectionHandled" ? args : args.slice(0, 1);
        transcript.note(`${event}: ${told.map((each) => transcript.words(each)).join(" in ")}`);
      });
    }
  }

  stop(): void {
    for (const [event, listeners] of this.others) {
      process.removeAllListeners(event);
      for (const listener of listeners) process.on(event, listener);
    }
  }
}
