/**
 * A thread that debugs the main one, as that can't debug itself: notes in which order it first comes to `places`, where functions
 * begin.
 */
import { Session } from "node:inspector/promises";
import { parentPort, workerData } from "node:worker_threads";

const session = new Session();
const met = [];
let resumed = Promise.resolve();

// Also keeps the thread alive: an answer that a session waits for doesn't.
parentPort.on("message", async () => {
  await resumed;
  session.disconnect();
  parentPort.postMessage(met);
  parentPort.close();
});

session.connectToMainThread();

const scripts = new Map();
session.on("Debugger.scriptParsed", ({ params }) => scripts.set(params.url, params.scriptId));
const byBreakpoint = new Map();
session.on("Debugger.paused", ({ params }) => {
  for (const breakpointId of params.hitBreakpoints ?? []) {
    met.push(byBreakpoint.get(breakpointId));
    session.post("Debugger.removeBreakpoint", { breakpointId });
  }
  resumed = session.post("Debugger.resume");
});

await session.post("Debugger.enable");
await session.post("Debugger.setBreakpointsActive", { active: false });
for (const [index, { url, line, column }] of workerData.places.entries()) {
  const location = { scriptId: scripts.get(url), lineNumber: line, columnNumber: column };
  try {
    const { breakpointId } = await session.post("Debugger.setBreakpoint", { location });
    byBreakpoint.set(breakpointId, index);
  } catch {
    // Two functions may begin at the same place; the first one stands for both.
  }
}
await session.post("Debugger.setBreakpointsActive", { active: true });
parentPort.postMessage("ready");
