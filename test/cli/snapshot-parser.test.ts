import { describe, expect, it } from "vitest";
import { SnapshotParser } from "../../src/await-tree/snapshot-parser.js";

const SNAPSHOT = JSON.stringify({
  snapshot: {
    meta: {
      node_fields: ["type", "name", "id", "self_size", "edge_count", "detachedness"],
      node_types: [["hidden", "object", "string"], "string", "number", "number", "number", "number"],
      edge_fields: ["type", "name_or_index", "to_node"],
      edge_types: [["context", "element", "property", "weak"], "string_or_number", "node"],
    },
    node_count: 3,
    edge_count: 4,
  },
  nodes: [0, 1, 1, 0, 2, 0, 1, 2, 3, 16, 2, 0, 2, 6, 4294967295, 24, 0, 0],
  edges: [1, 7, 6, 2, 3, 12, 2, 4, 0, 3, 5, 12],
  locations: [6, 1, -1, 0],
  strings: ["", "root", "Shop", 'a "quoted" \\ name', "line\nfeed", "é\u2028]", "text"],
}).replaceAll('],"', '],\n"');

function parse(pieces: readonly string[]) {
  const parser = new SnapshotParser();
  for (const piece of pieces) parser.push(piece);
  const graph = parser.finish();
  return Array.from({ length: graph.nodeCount }, (_, node) => {
    const edges = [];
    for (let edge = graph.firstEdge[node]!; edge < graph.firstEdge[node + 1]!; edge++) {
      edges.push([graph.typeOfEdge(edge), graph.nameOfEdge(edge), graph.edgeTo[edge]]);
    }
    return { type: graph.typeOf(node), name: graph.nameOf(node), id: graph.nodeId[node], edges };
  });
}

describe("the reader of heap snapshots", () => {
  const whole = parse([SNAPSHOT]);

  it("reads objects and what they hold", () => {
    expect(whole).toEqual([
      {
        type: "hidden",
        name: "root",
        id: 1,
        edges: [
          ["element", "7", 1],
          ["property", 'a "quoted" \\ name', 2],
        ],
      },
      {
        type: "object",
        name: "Shop",
        id: 3,
        edges: [
          ["property", "line\nfeed", 0],
          ["weak", "é\u2028]", 2],
        ],
      },
      { type: "string", name: "text", id: 4294967295, edges: [] },
    ]);
  });

  it("reads the same wherever it is cut in two", () => {
    for (let at = 0; at <= SNAPSHOT.length; at++) {
      expect(parse([SNAPSHOT.slice(0, at), SNAPSHOT.slice(at)])).toEqual(whole);
    }
  });

  it("reads the same character by character", () => {
    expect(parse([...SNAPSHOT])).toEqual(whole);
  });

  it("says where something is missing", () => {
    expect(() => parse([SNAPSHOT.slice(0, -3)])).toThrow("not complete");
    expect(() => parse([])).toThrow("not complete");
  });

  it("says that it is none", () => {
    expect(() => parse(["x".repeat(1_000_001)])).toThrow("no heap snapshot");
  });
});
