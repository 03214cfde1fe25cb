import { type DevTools, within } from "./devtools.js";
import { Scripts } from "./places.js";
import type { Place } from "./suspended.js";

/** An event loop that doesn't turn within so many milliseconds is blocked. */
const TURN_MS = 1_000;
/** How long main may take to come to the next function or loop, in milliseconds; native code does not. */
const PAUSE_MS = 2_000;

/** A call that has not returned. */
export interface Call {
  readonly function: string;
  readonly place: Place | undefined;
}

/** Why the event loop doesn't turn. */
export interface Blocked {
  /** `code`: by what runs. `native`: by something that can't be interrupted. `paused`: by a debugger. `unknown`: not asked, for the sake of a debugger. */
  readonly by: "code" | "native" | "paused" | "unknown";
  /** Innermost first. */
  readonly stack: readonly Call[];
}

interface Paused {
  readonly callFrames: readonly {
    readonly functionName: string;
    readonly location: {
      readonly scriptId: string;
      readonly lineNumber: number;
      readonly columnNumber?: number;
    };
  }[];
}

/** Undefined where the event loop turns. `mayPause`: whether it is stopped for a moment to see its stack, which another debugger would see. */
export async function blocked(
  devTools: DevTools,
  mayPause: boolean,
  root?: string,
): Promise<Blocked | undefined> {
  const turn = {
    expression: "new Promise((turned) => setImmediate(turned))",
    awaitPromise: true,
    silent: true,
  };
  if (await within(TURN_MS, devTools.post("Runtime.evaluate", turn))) return undefined;
  const scripts = new Scripts(root);
  const stopListening = scripts.listen(devTools);
  let paused: Paused | undefined;
  let heard = () => {};
  const isPaused = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const stopHearing = devTools.on("Debugger.paused", (event: Paused) => {
    paused ??= event;
    heard();
  });
  const stack = () =>
    (paused?.callFrames ?? []).map(
      ({ functionName, location: { scriptId, lineNumber, columnNumber = 0 } }) => ({
        function: functionName || "(anonymous)",
        place: scripts.placeOf(scriptId, lineNumber, columnNumber),
      }),
    );
  try {
    if (!(await within(PAUSE_MS, devTools.post("Debugger.enable")))) return { by: "native", stack: [] };
    // Said at once where another debugger has stopped it.
    if (paused !== undefined) return { by: "paused", stack: stack() };
    if (!mayPause) return { by: "unknown", stack: [] };
    devTools.post("Debugger.pause").catch(ignore);
    if (!(await within(PAUSE_MS, isPaused))) return { by: "native", stack: [] };
    return { by: "code", stack: stack() };
  } finally {
    stopListening();
    stopHearing();
    // It ends a pause of this session, and a pause that has not come about.
    devTools.post("Debugger.disable").catch(ignore);
  }
}

function ignore(): void {}
