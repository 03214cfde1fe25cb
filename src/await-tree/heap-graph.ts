import type { StringTable } from "./strings.js";

/** Of how many pieces a text is put together. */
const MAX_PIECES = 100;

/** What a heap snapshot says of its form. */
export interface SnapshotMeta {
  readonly node_fields: readonly string[];
  readonly node_types: readonly (readonly string[] | string)[];
  readonly edge_fields: readonly string[];
  readonly edge_types: readonly (readonly string[] | string)[];
  readonly location_fields?: readonly string[];
}

/** A heap: objects, which are numbered from 0, and what they hold. Numbers only, so that it takes a few bytes for each. */
export class HeapGraph {
  /** Index of each object's first edge, and after the last one how many there are. */
  readonly firstEdge: Uint32Array;
  readonly nodeType: Uint8Array;
  readonly nodeName: Uint32Array;
  readonly nodeId: Uint32Array;
  readonly edgeType: Uint8Array;
  readonly edgeName: Uint32Array;
  readonly edgeTo: Uint32Array;
  private readonly nodeTypes: readonly string[];
  private readonly edgeTypes: readonly string[];

  constructor(
    meta: SnapshotMeta,
    readonly nodeCount: number,
    readonly edgeCount: number,
    readonly strings: StringTable,
  ) {
    this.nodeTypes = meta.node_types[meta.node_fields.indexOf("type")] as readonly string[];
    this.edgeTypes = meta.edge_types[meta.edge_fields.indexOf("type")] as readonly string[];
    this.firstEdge = new Uint32Array(nodeCount + 1);
    this.nodeType = new Uint8Array(nodeCount);
    this.nodeName = new Uint32Array(nodeCount);
    this.nodeId = new Uint32Array(nodeCount);
    this.edgeType = new Uint8Array(edgeCount);
    this.edgeName = new Uint32Array(edgeCount);
    this.edgeTo = new Uint32Array(edgeCount);
  }

  typeOf(node: number): string {
    return this.nodeTypes[this.nodeType[node]!] ?? "";
  }

  nameOf(node: number): string {
    return this.strings.at(this.nodeName[node]!);
  }

  typeOfEdge(edge: number): string {
    return this.edgeTypes[this.edgeType[edge]!] ?? "";
  }

  /** The name of a property, a variable or a field; of an element its index. */
  nameOfEdge(edge: number): string {
    const type = this.typeOfEdge(edge);
    const name = this.edgeName[edge]!;
    return type === "element" || type === "hidden" ? String(name) : this.strings.at(name);
  }

  /** What the object holds by that name; undefined where it holds nothing so. */
  get(node: number, name: string): number | undefined {
    for (let edge = this.firstEdge[node]!; edge < this.firstEdge[node + 1]!; edge++) {
      if (this.nameOfEdge(edge) === name) return this.edgeTo[edge]!;
    }
    return undefined;
  }

  /** All that the object holds, but what it holds weakly. */
  *targets(node: number): Iterable<number> {
    for (let edge = this.firstEdge[node]!; edge < this.firstEdge[node + 1]!; edge++) {
      if (this.typeOfEdge(edge) !== "weak") yield this.edgeTo[edge]!;
    }
  }

  /** A text or a number; undefined for what is neither. Of a text what was kept of it. */
  primitive(node: number): string | undefined {
    const type = this.typeOf(node);
    if (type === "string") return this.nameOf(node);
    if (type === "number") {
      const value = this.get(node, "value");
      return value === undefined ? undefined : this.nameOf(value);
    }
    if (type !== "concatenated string") return undefined;
    // It is a tree, of pieces.
    const pieces: string[] = [];
    for (const open = [node]; open.length > 0 && pieces.length < MAX_PIECES; ) {
      const at = open.pop()!;
      const [first, second] = [this.get(at, "first"), this.get(at, "second")];
      if (first === undefined || second === undefined) pieces.push(this.nameOf(at));
      else open.push(second, first);
    }
    return pieces.join("");
  }
}
