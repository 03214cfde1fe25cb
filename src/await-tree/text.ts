import { isAbsolute, relative } from "node:path";
import { shown } from "../base/shown.js";
import type { AwaitTree } from "./await-tree.js";
import type { AwaitNode, AwaitTask } from "./forest.js";

/** How many tasks are listed, and how many correlation IDs of each. */
const MAX_TASKS = 50;
const MAX_IDS = 3;
/** Of a longer chain the middle is left out. */
const MAX_CHAIN = 12;
const MAX_NAME = 120;
const MAX_FILE = 200;
const MAX_TEXT = 300;

/** The tree for a terminal. Files below `folder` are named from there. */
export function treeText({ tasks, folded, leftOut, threads }: AwaitTree, folder: string): string {
  const lines = tasks.slice(0, MAX_TASKS).flatMap((task) => taskLines(task, folder));
  const rest = tasks.slice(MAX_TASKS).reduce((sum, { count }) => sum + count, 0);
  if (rest > 0) lines.push(`and ${count(rest, "task")} at other places (--json lists them)`);
  if (tasks.length === 0)
    lines.push(`no async function${folded > 0 ? " of the app's own" : ""} is suspended`);
  if (folded > 0)
    lines.push(`${count(folded, "function")} of Node and of packages left out (--all shows them)`);
  if (leftOut > 0) lines.push(`${count(leftOut, "function")} went on meanwhile`);
  if (threads > 0) lines.push(`${count(threads, "worker thread")} not looked into`);
  return lines.join("\n");
}

function taskLines({ count: n, correlationIds, root }: AwaitTask, folder: string): string[] {
  const ids = correlationIds.slice(0, MAX_IDS).map((id) => shown(id));
  const more = correlationIds.length > ids.length ? ", …" : "";
  const names = ids.length === 0 ? "" : `   ${ids.join(", ")}${more}`;
  const times = `${n}x`.padEnd(4);
  const chain = chainOf(root);
  const last = chain.at(-1)!;
  if (last.awaits.length === 0) return [`${times} ${chainText(chain, folder)}${names}`];
  const [first, ...others] = nodeLines(root, folder, "     ");
  return [`${times} ${first}${names}`, ...others];
}

/** As far down as each waits for one other. */
function chainOf(root: AwaitNode): AwaitNode[] {
  const chain = [root];
  for (let { awaits } = root; awaits.length === 1 && awaits[0]!.count === 1; { awaits } = awaits[0]!) {
    chain.push(awaits[0]!);
  }
  return chain;
}

/** Innermost first, as a stack is written. */
function chainText(chain: readonly AwaitNode[], folder: string): string {
  const places = chain.toReversed().map((node) => nodeText(node, folder));
  const left = places.length - MAX_CHAIN;
  if (left > 0) places.splice(MAX_CHAIN / 2, left, `… ${left} more …`);
  return `${places.join(" < ")}${waitText(chain.at(-1)!)}`;
}

function nodeLines(node: AwaitNode, folder: string, indent: string): string[] {
  const own = `${node.count > 1 ? `${node.count}x ` : ""}${nodeText(node, folder)}${waitText(node)}`;
  return [
    own,
    ...node.awaits.flatMap((child) => {
      const chain = chainOf(child);
      // A branch that doesn't fork is one line.
      if (child.count === 1 && chain.at(-1)!.awaits.length === 0)
        return [`${indent}${chainText(chain, folder)}`];
      const [first, ...others] = nodeLines(child, folder, `${indent}  `);
      return [`${indent}${first}`, ...others];
    }),
  ];
}

function nodeText({ function: name, file, line, column }: AwaitNode, folder: string): string {
  return `${shown(name, MAX_NAME)} ${fileText(file, folder)}:${line}:${column}`;
}

/** From the folder, if it is below that. */
export function fileText(file: string, folder: string): string {
  const path = isAbsolute(file) ? relative(folder, file) : file;
  return shown(path.startsWith("..") || isAbsolute(path) ? file : path, MAX_FILE);
}

function waitText({ waitsFor, awaitsTasks, awaits, isCircle }: AwaitNode): string {
  const parts = [];
  if (isCircle) parts.push("waits for itself: a deadlock");
  if (awaitsTasks > 0) parts.push(`waits for ${count(awaitsTasks, "task")}`);
  if (awaits.length === 0 && waitsFor !== undefined)
    parts.push(`waits for ${shown(waitsFor.text, MAX_TEXT)}`);
  return parts.map((part) => `, ${part}`).join("");
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
