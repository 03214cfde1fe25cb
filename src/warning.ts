import { inspect } from "node:util";

/** Warns of an error that nobody else would hear of. `what` went wrong, in words. */
export function warn(what: string, error: unknown): void {
  warnThat(`${what}: ${inWords(error)}`);
}

/** Warns of what is no error, and hardly what somebody meant. */
export function warnThat(sentence: string): void {
  process.emitWarning(sentence, "QueuescopeWarning");
}

/** Anything can be thrown, also what throws when it is looked at. */
function inWords(error: unknown): string {
  try {
    return inspect(error);
  } catch {
    return "something that can't be shown";
  }
}
