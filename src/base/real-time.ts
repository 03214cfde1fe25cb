import { performance } from "node:perf_hooks";
import timers from "node:timers";

/*
 * What fake timers must not reach, because it is no duration that a user sees: turns of the event loop, budgets of work, and looking after
 * timers that were lost. Taken when the module is loaded, as fakes come and go later.
 */

/** The method, too: a fake may stand in its place on the same object. */
const clock = performance;
const { now } = performance;

/** Milliseconds since any fixed instant, of the real clock. */
export function realNow(): number {
  return now.call(clock);
}

const { now: readWall } = Date;

/** Milliseconds since the Unix epoch, of the real clock: what threads say, which have no fakes, is compared with this. */
export function realWallNow(): number {
  return readWall();
}

/** Fakes clear no timer of Node's. */
export const {
  setTimeout: realSetTimeout,
  clearTimeout: realClearTimeout,
  setInterval: realSetInterval,
  clearInterval: realClearInterval,
} = timers;

/** Calls back in the next turn of the event loop, also under fake timers. */
export const nextTurn: (callback: () => void) => void = areFake() ? messages() : timers.setImmediate;

/** Resolves in the next turn of the event loop, as {@link nextTurn} calls back. */
export function turn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/** Whether Node's own timers are replaced already, by sinon's fake timers or those of `node:test`. */
function areFake(): boolean {
  return "clock" in timers.setImmediate || (Date as { isMock?: boolean }).isMock === true;
}

/** A turn by way of a message, which is slower, and which no fake replaces. */
function messages(): (callback: () => void) => void {
  const waiting: (() => void)[] = [];
  const { MessageChannel } = process.getBuiltinModule("node:worker_threads");
  const { port1, port2 } = new MessageChannel();
  port2.on("message", () => {
    const callback = waiting.shift();
    if (waiting.length === 0) port2.unref();
    callback?.();
  });
  port2.unref();
  return (callback) => {
    waiting.push(callback);
    port2.ref();
    port1.postMessage(undefined);
  };
}
