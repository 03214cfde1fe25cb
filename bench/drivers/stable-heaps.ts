import FastPriorityQueue from "fastpriorityqueue";
import FlatQueue from "flatqueue";
import { Heap as HeapJs } from "heap-js";
import { Heap as MnemonistHeap } from "mnemonist";
import TinyQueue from "tinyqueue";
import type { Ranked as OwnRanked } from "../../src/queue/storage/ranked.js";
import { compiled } from "./compiled.js";
import type { Item } from "./heap-load.js";

const { Ranked } =
  await compiled<typeof import("../../src/queue/storage/ranked.js")>("queue/storage/ranked.ts");

/** One comparator for each peer, made once: a closure for each heap, or a shared one, would change what is measured. */
const tinyOrder = (a: Item, b: Item) => a.priority - b.priority || a.sequence - b.sequence;
const mnemonistOrder = (a: Item, b: Item) => a.priority - b.priority || a.sequence - b.sequence;
const heapJsOrder = (a: Item, b: Item) => a.priority - b.priority || a.sequence - b.sequence;
const fastOrder = (a: Item, b: Item) =>
  a.priority < b.priority || (a.priority === b.priority && a.sequence < b.sequence);

/** What our PriorityQueue keeps its items in: a heap like the peers, without capacity, waiting and settling around it. */
export function storage(): OwnRanked<Item> {
  return new Ranked({ order: "priority", agingMs: 0, tierCount: 1, evicts: false });
}

export function tinyqueue(): TinyQueue<Item> {
  return new TinyQueue<Item>([], tinyOrder);
}

export function mnemonist(): MnemonistHeap<Item> {
  return new MnemonistHeap<Item>(mnemonistOrder);
}

export function fastpriorityqueue(): FastPriorityQueue<Item> {
  return new FastPriorityQueue<Item>(fastOrder);
}

export function heapJs(): HeapJs<Item> {
  return new HeapJs<Item>(heapJsOrder);
}

/** Its ties come out in any order. */
export function flatqueue(): FlatQueue<Item> {
  return new FlatQueue<Item>();
}
