import type { DevTools } from "./devtools.js";
import type { HeapGraph } from "./heap-graph.js";

/** How many contexts are asked for their ID: each takes the process some 0.1 ms. */
const MAX_ASKED = 10_000;
const AT_ONCE = 64;
const MAX_ID = 256;

/**
 * Runs in the process, and is broken off by V8 where it would change anything there: the first property of these names that is a text or
 * a number, or the ID of the trace in a context of OpenTelemetry.
 */
const READ = `function (names) {
  for (const name of names) {
    const value = this[name];
    if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return String(value).slice(0, ${MAX_ID});
  }
  if (typeof this.getValue !== "function") return undefined;
  return this.getValue(Symbol.for("OpenTelemetry Context Key SPAN"))?.spanContext().traceId;
}`;

/** The IDs in objects of async contexts, by object. */
export async function idsOf(
  devTools: DevTools,
  graph: HeapGraph,
  stores: ReadonlySet<number>,
  names: readonly string[],
  group: string,
): Promise<Map<number, string>> {
  const ids = new Map<number, string>();
  const asked = [...stores].slice(0, MAX_ASKED);
  const ask = async (store: number) => {
    const type = graph.typeOf(store);
    // A text that is the ID.
    if (type === "string") ids.set(store, graph.nameOf(store));
    if (type !== "object") return;
    try {
      const objectId = String(graph.nodeId[store]);
      const { result } = await devTools.post("HeapProfiler.getObjectByHeapObjectId", {
        objectId,
        objectGroup: group,
      });
      const answer = await devTools.post("Runtime.callFunctionOn", {
        functionDeclaration: READ,
        objectId: result.objectId,
        arguments: [{ value: names }],
        throwOnSideEffect: true,
        silent: true,
      });
      if (typeof answer.result.value === "string") ids.set(store, answer.result.value);
    } catch {
      // It is gone.
    }
  };
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < asked.length) await ask(asked[next++]!);
    }),
  );
  return ids;
}
