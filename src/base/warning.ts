import { errorText } from "./error-text.js";
import { contained } from "./output.js";

/** Warns of an error that would go unheard otherwise. `what` went wrong, in words; of the error its message and stack are told. */
export function warn(what: string, error: unknown): void {
  warnThat(`${what}: ${errorText(error)}`);
}

/** Node's own, read at each call: a replacement wants to be asked. */
const nodesOwn = process.emitWarning;

/**
 * Warns of what is no error, and hardly what was meant. Node tells the listeners in a later tick, where nothing would catch what
 * they throw; so this tells them itself.
 */
export function warnThat(sentence: string): void {
  if (process.emitWarning !== nodesOwn) {
    contained(() => process.emitWarning(sentence, "QueuescopeWarning"));
    return;
  }
  const warning = new Error(sentence);
  Object.defineProperty(warning, "name", { value: "QueuescopeWarning", writable: true, configurable: true });
  Error.captureStackTrace(warning, warnThat);
  process.nextTick(tell, warning);
}

function tell(warning: Error): void {
  contained(() => process.emit("warning", warning));
}
