import { originOf } from "./places.js";
import type { Origin, Place, Suspended, WaitsFor } from "./suspended.js";

/** An async function, and those that it waits for: several are the branches of a `Promise.all`. */
export interface AwaitNode {
  /** `OrderService.charge`; `(anonymous)` and `(top level)` for what has no name. */
  readonly function: string;
  readonly file: string;
  /** Of the `await`, from 1. */
  readonly line: number;
  readonly column: number;
  readonly origin: Origin;
  /** How many that are: branches that wait at the same places, and for the same, are one node. */
  readonly count: number;
  readonly awaits: readonly AwaitNode[];
  /** How many tasks with correlation IDs of their own it waits for, which stand apart. */
  readonly awaitsTasks: number;
  /** What it waits for that is no async function of the tree; undefined where that isn't known. */
  readonly waitsFor: WaitsFor | undefined;
  /** It waits for itself, through the last of those above: a deadlock. */
  readonly isCircle: boolean;
}

/** Tasks that wait at the same places. */
export interface AwaitTask {
  readonly count: number;
  /** Of those that have one. */
  readonly correlationIds: readonly string[];
  readonly root: AwaitNode;
}

export interface Forest {
  /** The most frequent first. */
  readonly tasks: readonly AwaitTask[];
  /** Functions of Node and of packages that are left out. */
  readonly folded: number;
  /** Functions of the user's that have gone on meanwhile. */
  readonly leftOut: number;
}

/** Most nodes of the trees together: functions that many wait for are shown with each of them. */
const MAX_NODES = 100_000;
/** How deep a tree is shown; below that it is cut. */
const MAX_DEPTH = 1_000;

/** A tree, or a part of one. Those that are alike have the same key. */
interface Draft {
  readonly key: number;
  readonly name: string;
  readonly place: Place;
  readonly children: readonly Draft[];
  readonly tasks: number;
  readonly waitsFor: WaitsFor | undefined;
  readonly isCircle: boolean;
}

/** Makes trees of what is suspended, one for each task, those that are alike as one. `all`: also functions of Node and of packages. */
export function forestOf(suspended: readonly Suspended[], all: boolean): Forest {
  const children: number[][] = suspended.map(() => []);
  const isRoot = suspended.map(() => true);
  const awaitsTasks = suspended.map(() => 0);
  for (const [index, { awaitedBy, correlationId }] of suspended.entries()) {
    for (const parent of new Set(awaitedBy)) {
      // A task of its own, which something of another one, or of none, waits for.
      if (correlationId !== undefined && correlationId !== suspended[parent]!.correlationId) {
        awaitsTasks[parent]!++;
        continue;
      }
      children[parent]!.push(index);
      isRoot[index] = false;
    }
  }
  const forest = new Planter(suspended, children, awaitsTasks, all);
  for (const index of suspended.keys()) if (isRoot[index]) forest.plant(index);
  // What is left waits in a circle.
  for (const index of suspended.keys()) if (!forest.seen.has(index)) forest.plant(index);
  return forest.done();
}

class Planter {
  readonly seen = new Set<number>();
  private readonly keys = new Map<string, number>();
  private readonly groups = new Map<number, { ids: Set<string>; count: number; draft: Draft }>();
  private readonly foldedOnes = new Set<number>();
  private readonly goneOnes = new Set<number>();
  private readonly shownOnes = new Set<number>();
  private nodes = 0;

  constructor(
    private readonly suspended: readonly Suspended[],
    private readonly children: readonly (readonly number[])[],
    private readonly awaitsTasks: readonly number[],
    private readonly all: boolean,
  ) {}

  plant(root: number): void {
    for (const draft of this.drafts(root, new Set())) {
      const id = this.suspended[root]!.correlationId;
      const group = this.groups.get(draft.key) ?? { ids: new Set(), count: 0, draft };
      this.groups.set(draft.key, group);
      group.count++;
      if (id !== undefined) group.ids.add(id);
    }
  }

  done(): Forest {
    const tasks = [...this.groups.values()].map(({ ids, count, draft }) => ({
      count,
      correlationIds: [...ids],
      root: nodeOf(draft, 1),
    }));
    const place = ({ root }: AwaitTask) => `${root.file}:${String(root.line).padStart(7)}`;
    tasks.sort((a, b) => b.count - a.count || (place(a) < place(b) ? -1 : 1));
    for (const index of this.shownOnes) this.foldedOnes.delete(index);
    return { tasks, folded: this.foldedOnes.size, leftOut: this.goneOnes.size };
  }

  /** The function itself, or where it is left out what it waits for. */
  private drafts(index: number, above: Set<number>): Draft[] {
    this.seen.add(index);
    const { name, place, script, waitsFor } = this.suspended[index]!;
    if (this.nodes++ > MAX_NODES || above.size > MAX_DEPTH) return [];
    above.add(index);
    const below = this.children[index]!;
    const isCircle = below.some((child) => above.has(child));
    const under = below.filter((child) => !above.has(child)).flatMap((child) => this.drafts(child, above));
    above.delete(index);
    if (place === undefined || (!this.all && place.origin !== "own")) {
      const isGone = place === undefined && (this.all || originOf(script) === "own");
      (isGone ? this.goneOnes : this.foldedOnes).add(index);
      return under;
    }
    this.shownOnes.add(index);
    const tasks = this.awaitsTasks[index]!;
    const through = under.length === 0 && tasks === 0 && !isCircle ? this.through(below) : undefined;
    return [this.draft({ name, place, children: under, tasks, waitsFor: waitsFor ?? through, isCircle })];
  }

  private draft(draft: Omit<Draft, "key">): Draft {
    const { name, place, children, tasks, waitsFor, isCircle } = draft;
    const below = children.map(({ key }) => key).sort((a, b) => a - b);
    const text = JSON.stringify([
      name,
      place.file,
      place.line,
      place.column,
      tasks,
      waitsFor?.text,
      isCircle,
      below,
    ]);
    const key = this.keys.get(text) ?? this.keys.size;
    this.keys.set(text, key);
    return { key, ...draft };
  }

  /** Of functions that are left out the outermost one is what the user called; what it waits for in the end says more. */
  private through(below: readonly number[]): WaitsFor | undefined {
    const [first] = below;
    if (first === undefined) return undefined;
    const { name, script } = this.suspended[first]!;
    const seen = new Set<number>();
    let last: WaitsFor | undefined;
    for (let at: number | undefined = first; at !== undefined && !seen.has(at); at = this.children[at]![0]) {
      seen.add(at);
      last = this.suspended[at]!.waitsFor;
    }
    const where = ` (${packageOf(script)})`;
    const what = last === undefined ? "" : `: ${last.text}`;
    return { kind: "function", text: `${name}${where}${what}` };
  }
}

/** `node:internal/…`, or a package's name. */
function packageOf(script: string): string {
  const [, name] = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(script) ?? [];
  return name ?? script;
}

function nodeOf({ name, place, children, tasks, waitsFor, isCircle }: Draft, count: number): AwaitNode {
  const alike = new Map<number, { draft: Draft; count: number }>();
  for (const draft of children) {
    const group = alike.get(draft.key);
    if (group === undefined) alike.set(draft.key, { draft, count: 1 });
    else group.count++;
  }
  return {
    function: name,
    file: place.file,
    line: place.line,
    column: place.column,
    origin: place.origin,
    count,
    awaits: [...alike.values()].map((each) => nodeOf(each.draft, each.count)),
    awaitsTasks: tasks,
    waitsFor,
    isCircle,
  };
}
