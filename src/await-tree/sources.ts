import type { HeapGraph } from "./heap-graph.js";
import type { WaitsFor } from "./suspended.js";

/** How far a source may be from a promise, in references. */
const MAX_STEPS = 16;
const NONE = -1;
/** A context that more than so many objects refer to says nothing of each: that of a module, say. */
const MAX_SHARERS = 8;
const PROMISE = "Promise";
const CONTEXT = "system / Context";

/** Classes of Node that settle promises when something happens outside, by what that is. */
const SOURCES: Readonly<Record<string, "timer" | "socket" | "object">> = {
  Timeout: "timer",
  Immediate: "timer",
  Socket: "socket",
  TLSSocket: "socket",
  ClientHttp2Session: "socket",
  ClientRequest: "object",
  IncomingMessage: "object",
  FileHandle: "object",
  FSReqCallback: "object",
  FSReqPromise: "object",
  ReadStream: "object",
  ChildProcess: "object",
  Worker: "object",
  MessagePort: "object",
  Server: "object",
  GetAddrInfoReqWrap: "object",
  QueryReqWrap: "object",
  TCPConnectWrap: "object",
  PipeConnectWrap: "object",
  Pipe: "object",
  TCP: "object",
};

/** Classes that everything is made of: what is held by them says nothing. */
const PLAIN = new Set([
  "Object",
  "Array",
  "Map",
  "Set",
  "WeakMap",
  "WeakRef",
  "Promise",
  "Generator",
  "Error",
  "",
]);

/** What can settle a promise. */
export interface Source {
  readonly kind: "timer" | "socket" | "object";
  /** The name of its class. */
  readonly name: string;
  /** As an object of the heap. */
  readonly node: number;
}

/**
 * Finds what can settle each of the promises: what holds the functions that resolve it, or resolve one that it follows from. All of them are
 * looked for at once, step by step, each of which passes over all references of the heap.
 */
export function sourcesOf(graph: HeapGraph, promises: ReadonlySet<number>): Map<number, Source> {
  const found = new Map<number, Source>();
  const fallback = new Map<number, Source>();
  /** By object: the promise that it may settle. */
  const owner = new Int32Array(graph.nodeCount).fill(NONE);
  /** By object: the step at which it was reached. */
  const step = new Uint8Array(graph.nodeCount);
  for (const promise of promises) {
    owner[promise] = promise;
    step[promise] = 1;
  }
  const names = graph.strings.indicesOf(new Set([PROMISE, CONTEXT]));
  const sharers = sharersIn(graph, names);
  for (let now = 1; now <= MAX_STEPS; now++) {
    let isMore = false;
    for (let from = 0; from < graph.nodeCount; from++) {
      if (owner[from] !== NONE || !leadsOn(graph, from)) continue;
      for (let edge = graph.firstEdge[from]!; edge < graph.firstEdge[from + 1]!; edge++) {
        const to = graph.edgeTo[edge]!;
        if (step[to] !== now || found.has(owner[to]!) || !settles(graph, names, from, edge, sharers))
          continue;
        const promise = owner[to]!;
        const name = graph.typeOf(from) === "object" ? graph.nameOf(from) : "";
        const kind = Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined;
        if (kind !== undefined) {
          // It may settle others, too.
          found.set(promise, { kind, name, node: from });
          continue;
        }
        owner[from] = promise;
        step[from] = now + 1;
        isMore = true;
        if (isTelling(name) && !fallback.has(promise))
          fallback.set(promise, { kind: "object", name, node: from });
        break;
      }
    }
    if (!isMore) break;
  }
  for (const [promise, source] of fallback) if (!found.has(promise)) found.set(promise, source);
  return found;
}

/** `a timer of 30 s` */
export function inWords(graph: HeapGraph, { kind, name, node }: Source): WaitsFor {
  const data = (property: string) => {
    const value = graph.get(node, property);
    return value === undefined ? undefined : graph.primitive(value);
  };
  if (kind === "timer") {
    const ms = Number(data("_idleTimeout"));
    return { kind, text: ms >= 0 ? `a timer of ${ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`}` : "a timer" };
  }
  if (kind === "socket") {
    const host = data("_host");
    return { kind, text: host === undefined ? `a ${name}` : `a ${name} to ${host}` };
  }
  return { kind, text: `a ${name}` };
}

/** What holds everything, or only describes, is no way. */
function leadsOn(graph: HeapGraph, node: number): boolean {
  const type = graph.typeOf(node);
  if (type === "synthetic" || type === "code" || type === "string" || type === "number") return false;
  return !/^(system \/ (NativeContext|Map|ScriptContextTable)|global|Window)/.test(graph.nameOf(node));
}

/**
 * A promise is settled by what V8 keeps about it; what the user's code holds it in only waits for it. A function can call what its context
 * has a variable for; what is further in, in lists and objects, is as likely another one's, and so is what very many functions share.
 */
function settles(
  graph: HeapGraph,
  names: ReadonlyMap<number, string>,
  from: number,
  edge: number,
  sharers: Uint8Array,
): boolean {
  const type = graph.typeOfEdge(edge);
  if (type === "weak" || type === "shortcut") return false;
  const to = graph.edgeTo[edge]!;
  const name = names.get(graph.nodeName[to]!);
  if (name === CONTEXT) return sharers[to]! <= MAX_SHARERS;
  if (name === PROMISE)
    return type === "hidden" || type === "internal" ? graph.typeOf(from) !== "closure" : false;
  if (names.get(graph.nodeName[from]!) !== CONTEXT || type !== "context") return true;
  return graph.typeOf(to) === "closure";
}

/** By context, how many functions have it, as far as that counts. */
function sharersIn(graph: HeapGraph, names: ReadonlyMap<number, string>): Uint8Array {
  const sharers = new Uint8Array(graph.nodeCount);
  for (let edge = 0; edge < graph.edgeCount; edge++) {
    const to = graph.edgeTo[edge]!;
    if (names.get(graph.nodeName[to]!) === CONTEXT && sharers[to]! < 255) sharers[to]!++;
  }
  return sharers;
}

/** A class of the user's, or of a package. */
function isTelling(name: string): boolean {
  return !PLAIN.has(name) && !/^(system \/|\(|[a-z])/.test(name);
}
