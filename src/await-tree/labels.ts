import type { HeapGraph } from "./heap-graph.js";

/** How far into what is in a context IDs are looked for, in references and in objects. */
const MAX_DEPTH = 5;
const MAX_OBJECTS = 200;
const MAX_ID = 256;
/** These mean the same wherever they are: in the task of a queue, in the span of a trace. */
const ANYWHERE = ["correlationId", "traceId"];

/**
 * The ID in an object of an async context: its property of one of the names, the first one first, or else, further in, a correlation ID or
 * trace ID. A text is the ID itself. Undefined where there is none.
 */
export function idIn(graph: HeapGraph, store: number, names: readonly string[]): string | undefined {
  if (graph.typeOf(store) !== "object") return graph.primitive(store)?.slice(0, MAX_ID);
  for (const name of names) {
    const id = property(graph, store, name);
    if (id !== undefined) return id;
  }
  const anywhere = ANYWHERE.filter((name) => names.includes(name));
  const depth = new Map([[store, 0]]);
  for (const [node, at] of depth) {
    for (const name of anywhere) {
      const id = property(graph, node, name);
      if (id !== undefined) return id;
    }
    if (at === MAX_DEPTH || depth.size > MAX_OBJECTS) continue;
    for (let edge = graph.firstEdge[node]!; edge < graph.firstEdge[node + 1]!; edge++) {
      const target = graph.edgeTo[edge]!;
      if (!depth.has(target) && leadsOn(graph, edge, target)) depth.set(target, at + 1);
    }
  }
  return undefined;
}

function property(graph: HeapGraph, node: number, name: string): string | undefined {
  for (let edge = graph.firstEdge[node]!; edge < graph.firstEdge[node + 1]!; edge++) {
    if (graph.typeOfEdge(edge) !== "property" || graph.nameOfEdge(edge) !== name) continue;
    return graph.primitive(graph.edgeTo[edge]!)?.slice(0, MAX_ID);
  }
  return undefined;
}

/** Data of the user's and of libraries, and the tables of maps; no classes and no code. */
function leadsOn(graph: HeapGraph, edge: number, target: number): boolean {
  const name = graph.nameOfEdge(edge);
  if (name === "__proto__" || name === "constructor" || name === "map") return false;
  const type = graph.typeOf(target);
  return type === "object" || (type === "array" && (name === "table" || name === "elements"));
}
