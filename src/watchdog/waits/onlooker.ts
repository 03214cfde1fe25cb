import type { Carrier, Onlooker, TaskFacts } from "../../contracts.js";
import { settle } from "./orphans.js";
import { openSheet, sheetOf, Token } from "./sheet.js";
import { spanEnded, spanStarted } from "./sources/spans.js";
import { sampledPlace } from "./stacks.js";

/** Where sampled items were put, by what travels with them. */
const places = new WeakMap<object, Error>();

/** What telemetry tells while a watchdog runs. */
export const onlooker: Onlooker = {
  put: sampledPlace,

  remember(carrier: object, place: object): void {
    places.set(carrier, place as Error);
  },

  begin(task: TaskFacts, carrier: Carrier): TaskFacts {
    // Of one that is frozen nothing can be noted down.
    if (!Object.isExtensible(task)) return task;
    // A delivery can be run twice: of the former run nothing is known any more.
    const former = sheetOf(task);
    if (former !== undefined) settle(former);
    const token = openSheet(task);
    if (carrier !== undefined) token.sheet.putAt = places.get(carrier);
    return token;
  },

  returned(store: TaskFacts, result: unknown): void {
    if (!(store instanceof Token)) return;
    const { sheet } = store;
    // Of a handler that calls back, or gives a thenable, nobody knows what holds it.
    if (!(result instanceof Promise)) {
      settle(sheet);
      return;
    }
    const over = () => settle(sheet);
    try {
      // In the task's context, so that the promise holds that for as long as somebody can settle it.
      result.then(over, over);
    } catch {
      settle(sheet);
    }
  },

  spanStarted,
  spanEnded,
};
