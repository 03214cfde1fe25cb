import { checkKnown, checkObject } from "../base/checks.js";
import { InvalidOptionTypeError } from "../base/errors.js";
import { type PriorityOptions, type PutOptions, QUEUE_OPTIONS, type QueueOptions } from "./options.js";
import { Queue } from "./queue.js";
import { ONLY_PLACE, type Place, type Store } from "./storage/store.js";

/** What only a PriorityQueue takes: of itself, and of a put. */
const RANKING = ["tiers", "agingMs", "order"];
const RANKS = ["priority", "tier"];

/** A queue that knows no priorities. */
export abstract class UnrankedQueue<T> extends Queue<T> {
  protected constructor(store: Store<T>, options: QueueOptions<T> | undefined) {
    checkObject("options", options);
    checkLeftOut(RANKING, options);
    checkKnown(options, QUEUE_OPTIONS);
    super(store, options);
  }

  protected override placeOf(options: PutOptions & PriorityOptions): Place {
    checkLeftOut(RANKS, options);
    return ONLY_PLACE;
  }
}

function checkLeftOut(names: readonly string[], options: object | undefined): void {
  if (options === undefined) return;
  for (const name of names) {
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined) continue;
    throw new InvalidOptionTypeError(name, value, "left out: only a PriorityQueue takes it");
  }
}
