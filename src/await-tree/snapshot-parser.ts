import { HeapGraph, type SnapshotMeta } from "./heap-graph.js";
import { StringTable } from "./strings.js";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;
const CLOSE = 0x5d;
const MINUS = 0x2d;

/** The parts of a snapshot that are read, in their order; each begins with its name in quotes. */
const NODES = '"nodes":[';
const EDGES = '"edges":[';
const STRINGS = '"strings":[';

/**
 * Reads a heap snapshot as it comes, piece by piece, into a {@link HeapGraph}. Its JSON, which is larger than the heap, is never in memory
 * as a whole.
 */
export class SnapshotParser {
  private read: (text: string) => string = (text) => this.readHead(text);
  /** What was not understood yet. */
  private rest = "";
  private graph: HeapGraph | undefined = undefined;
  private number = 0;
  private isInNumber = false;
  private isNegative = false;
  private value = (_: number): void => {};
  private isDone = false;

  /** Throws where it is no heap snapshot. */
  push(piece: string): void {
    for (let text = this.rest + piece; ; ) {
      const { read } = this;
      text = read(text);
      this.rest = text;
      // A part has ended, and the next one may be there.
      if (read === this.read) return;
    }
  }

  /** Throws where the snapshot is not complete. */
  finish(): HeapGraph {
    if (this.graph === undefined || !this.isDone) throw new Error("the heap snapshot is not complete");
    return this.graph;
  }

  private readHead(text: string): string {
    const end = text.indexOf(NODES);
    if (end === -1) {
      if (text.length > 1_000_000) throw new Error("this is no heap snapshot");
      return text;
    }
    const { snapshot } = JSON.parse(`${text.slice(0, end).replace(/,\s*$/, "")}}`);
    const meta = snapshot.meta as SnapshotMeta;
    const graph = new HeapGraph(meta, snapshot.node_count, snapshot.edge_count, new StringTable());
    this.graph = graph;
    this.numbers(nodeReader(graph, meta), () => this.skipTo(EDGES, () => this.readEdges(graph, meta)));
    return text.slice(end + NODES.length);
  }

  private readEdges(graph: HeapGraph, meta: SnapshotMeta): void {
    this.numbers(edgeReader(graph, meta), () =>
      this.skipTo(STRINGS, () => {
        this.read = (text) => this.readStrings(text, graph.strings);
      }),
    );
  }

  /** Passes over what comes before a part. */
  private skipTo(name: string, then: () => void): void {
    this.read = (text) => {
      const at = text.indexOf(name);
      // The name may have come in part.
      if (at === -1) return text.slice(-name.length);
      then();
      return text.slice(at + name.length);
    };
  }

  /** Reads an array of whole numbers; `then` follows at its end. */
  private numbers(value: (number: number) => void, then: () => void): void {
    this.value = value;
    this.read = (text) => {
      const end = this.readNumbers(text);
      if (end === -1) return "";
      then();
      return text.slice(end);
    };
  }

  /** Returns where the array ends, or -1. */
  private readNumbers(text: string): number {
    let { number, isInNumber, isNegative } = this;
    const { value } = this;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= ZERO && code <= NINE) {
        number = number * 10 + (code - ZERO);
        isInNumber = true;
        continue;
      }
      if (code === MINUS) isNegative = true;
      else if (isInNumber) {
        value(isNegative ? -number : number);
        number = 0;
        isInNumber = false;
        isNegative = false;
      }
      if (code !== CLOSE) continue;
      this.number = 0;
      this.isInNumber = false;
      this.isNegative = false;
      return i + 1;
    }
    this.number = number;
    this.isInNumber = isInNumber;
    this.isNegative = isNegative;
    return -1;
  }

  private readStrings(text: string, strings: StringTable): string {
    let from = 0;
    while (!this.isDone) {
      while (from < text.length && text.charCodeAt(from) !== QUOTE && text.charCodeAt(from) !== CLOSE) from++;
      if (from === text.length) return "";
      if (text.charCodeAt(from) === CLOSE) {
        this.isDone = true;
        break;
      }
      let isEscaped = false;
      let end = from + 1;
      for (; end < text.length; end++) {
        const code = text.charCodeAt(end);
        if (code === QUOTE) break;
        if (code !== BACKSLASH) continue;
        isEscaped = true;
        end++;
      }
      if (end >= text.length) return text.slice(from);
      strings.push(isEscaped ? JSON.parse(text.slice(from, end + 1)) : text.slice(from + 1, end));
      from = end + 1;
    }
    return "";
  }
}

function nodeReader(graph: HeapGraph, { node_fields: fields }: SnapshotMeta): (value: number) => void {
  const [type, name, id, edgeCount] = ["type", "name", "id", "edge_count"].map((each) =>
    fields.indexOf(each),
  );
  const { nodeType, nodeName, nodeId, firstEdge } = graph;
  let node = 0;
  let field = 0;
  return (value) => {
    if (field === type) nodeType[node] = value;
    else if (field === name) nodeName[node] = value;
    else if (field === id) nodeId[node] = value;
    else if (field === edgeCount) firstEdge[node + 1] = firstEdge[node]! + value;
    if (++field < fields.length) return;
    field = 0;
    node++;
  };
}

function edgeReader(graph: HeapGraph, meta: SnapshotMeta): (value: number) => void {
  const { edge_fields: fields, node_fields } = meta;
  const [type, name, to] = ["type", "name_or_index", "to_node"].map((each) => fields.indexOf(each));
  const { edgeType, edgeName, edgeTo } = graph;
  let edge = 0;
  let field = 0;
  return (value) => {
    if (field === type) edgeType[edge] = value;
    else if (field === name) edgeName[edge] = value;
    else if (field === to) edgeTo[edge] = value / node_fields.length;
    if (++field < fields.length) return;
    field = 0;
    edge++;
  };
}
