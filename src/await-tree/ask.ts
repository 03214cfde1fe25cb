import type { DevTools } from "./devtools.js";
import type { Found } from "./find.js";
import type { Scripts } from "./places.js";
import type { Place } from "./suspended.js";

/** What the inspector said of a function. */
interface Answer {
  readonly place: Place;
  readonly isTopLevel: boolean;
}

export interface Answers {
  /** By index: undefined for those that have gone on, and for those that were not to be asked for. */
  readonly answers: readonly (Answer | undefined)[];
  /** How many were asked for. The places of the others are those of the ones that are like them. */
  readonly asked: number;
}

/**
 * Asks at which line functions are suspended. For each V8 looks through the whole heap, while the process stands still: so of those that are
 * alike one is asked for, and then more of them as long as that takes no longer than `budgetMs`.
 */
export async function askFor(
  devTools: DevTools,
  scripts: Scripts,
  found: readonly Found[],
  isWanted: (found: Found) => boolean,
  budgetMs: number,
  group: string,
): Promise<Answers> {
  const alike = new Map<string, number[]>();
  for (const [index, each] of found.entries()) {
    if (!isWanted(each)) continue;
    const members = alike.get(each.likeness);
    if (members === undefined) alike.set(each.likeness, [index]);
    else members.push(index);
  }
  const answers: (Answer | undefined)[] = found.map(() => undefined);
  const began = performance.now();
  let asked = 0;
  const open = [...alike.values()];
  const done = new Map(open.map((members) => [members, 0]));
  for (let isFirst = true; open.length > 0; isFirst = false) {
    for (const members of [...open]) {
      if (!isFirst && performance.now() - began > budgetMs) {
        open.length = 0;
        break;
      }
      const nth = done.get(members)!;
      const index = members[nth]!;
      answers[index] = await ask(devTools, scripts, found[index]!.heapId, group);
      asked++;
      done.set(members, nth + 1);
      if (nth + 1 === members.length) open.splice(open.indexOf(members), 1);
    }
  }
  for (const [members, count] of done) {
    if (count === members.length) continue;
    const usual = mostFrequent(members.slice(0, count).flatMap((index) => answers[index] ?? []));
    for (const index of members.slice(count)) answers[index] = usual;
  }
  return { answers, asked };
}

function mostFrequent(answers: readonly Answer[]): Answer | undefined {
  const counts = new Map<string, { answer: Answer; count: number }>();
  for (const answer of answers) {
    const { file, line, column } = answer.place;
    const key = `${file}:${line}:${column}`;
    const known = counts.get(key) ?? { answer, count: 0 };
    counts.set(key, known);
    known.count++;
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)[0]?.answer;
}

interface Property {
  readonly name: string;
  readonly value?: { readonly value?: unknown; readonly description?: string };
}

interface Location {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber?: number;
}

/** Undefined where the function has gone on to its end. */
async function ask(
  devTools: DevTools,
  scripts: Scripts,
  heapId: number,
  objectGroup: string,
): Promise<Answer | undefined> {
  try {
    const { result } = await devTools.post("HeapProfiler.getObjectByHeapObjectId", {
      objectId: String(heapId),
      objectGroup,
    });
    const { internalProperties = [] } = await devTools.post("Runtime.getProperties", {
      objectId: result.objectId,
      ownProperties: true,
    });
    const value = (name: string) =>
      (internalProperties as Property[]).find((each) => each.name === name)?.value;
    if (value("[[GeneratorState]]")?.value !== "suspended") return undefined;
    const at = value("[[GeneratorLocation]]")?.value as Location | undefined;
    const place = at && scripts.placeOf(at.scriptId, at.lineNumber, at.columnNumber ?? 0);
    // The function of a module is its whole text.
    const isTopLevel = value("[[GeneratorFunction]]")?.description?.startsWith("async") === false;
    return place && { place, isTopLevel };
  } catch {
    return undefined;
  }
}
