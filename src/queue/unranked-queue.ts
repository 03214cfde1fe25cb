import { InvalidOptionTypeError } from "../errors.js";
import type { PriorityOptions, PutOptions } from "./options.js";
import { Queue } from "./queue.js";
import { ONLY_PLACE, type Place } from "./storage/store.js";

/** A queue that knows no priorities. */
export abstract class UnrankedQueue<T> extends Queue<T> {
  protected override placeOf(options: PutOptions & PriorityOptions): Place {
    for (const option of ["priority", "tier"] as const) {
      if (options[option] === undefined) continue;
      throw new InvalidOptionTypeError(option, options[option], "left out: only a PriorityQueue takes it");
    }
    return ONLY_PLACE;
  }
}
