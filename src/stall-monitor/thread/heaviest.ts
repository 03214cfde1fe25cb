import type { Profiler } from "node:inspector";
import type { ProfileFrame } from "../stack-snapshot.js";

/** What held main for longest. */
export interface Heaviest {
  readonly samples: number;
  /** Innermost first. */
  readonly stack: readonly ProfileFrame[];
  readonly isGarbageCollection: boolean;
}

/**
 * Of the samples between two instants (milliseconds of the clock that all threads share): the innermost function of the user's in
 * which most were taken, and where in there most were. Undefined if they are too few to tell. What is in the spans `except` does
 * not count.
 *
 * Runs in the thread: its source is sent there, so it refers to nothing outside.
 */
export function heaviest(
  profile: Profiler.Profile,
  from: number,
  to: number,
  except: readonly (readonly [number, number])[],
): Heaviest | undefined {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  const mostOf = (counts: ReadonlyMap<number, number>) => {
    let most: number | undefined;
    for (const [id, count] of counts) if (count > (counts.get(most ?? -1) ?? 0)) most = id;
    return most;
  };
  const pathOf = (leaf: number) => {
    const path: Profiler.ProfileNode[] = [];
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const node = nodes.get(id);
      if (node !== undefined && node.callFrame.functionName !== "(root)") path.push(node);
    }
    return path;
  };
  const leaves = new Map<number, number>();
  const { samples = [], timeDeltas = [] } = profile;
  let at = profile.startTime;
  let all = 0;
  let collecting = 0;
  for (let index = 0; index < samples.length; index++) {
    at += timeDeltas[index] ?? 0;
    const id = samples[index]!;
    const name = nodes.get(id)?.callFrame.functionName;
    const ms = at / 1000;
    if (ms < from || ms > to || name === "(idle)") continue;
    if (except.some(([begin, end]) => ms >= begin && ms <= end)) continue;
    all++;
    if (name === "(garbage collector)") collecting++;
    else if (name !== "(program)") leaves.set(id, (leaves.get(id) ?? 0) + 1);
  }
  if (all === 0) return undefined;
  const owners = new Map<number, number>();
  const ownerOf = (leaf: number) =>
    pathOf(leaf).find(({ callFrame: { url } }) => url !== "" && !url.startsWith("node:"))?.id ?? -1;
  for (const [leaf, count] of leaves) {
    const owner = ownerOf(leaf);
    if (owner !== -1) owners.set(owner, (owners.get(owner) ?? 0) + count);
  }
  const owner = mostOf(owners);
  const leaf = mostOf(
    owner === undefined ? leaves : new Map([...leaves].filter(([id]) => ownerOf(id) === owner)),
  );
  const stack = (leaf === undefined ? [] : pathOf(leaf)).map(({ callFrame, positionTicks = [] }) => {
    const line = positionTicks.reduce((most, each) => (each.ticks > most.ticks ? each : most), {
      line: 0,
      ticks: 0,
    }).line;
    const begin = callFrame.lineNumber + 1;
    return {
      functionName: callFrame.functionName,
      url: callFrame.url,
      line: line || begin,
      // The profiler knows no columns but those where functions begin. Code that is one long line would be lost without.
      column: line === 0 || line === begin ? callFrame.columnNumber + 1 : 1,
    };
  });
  return { samples: all, stack, isGarbageCollection: collecting * 2 > all };
}
