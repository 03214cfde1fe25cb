import type { Links } from "../base/linked-list.js";
import { type Due, UNSET } from "./alarm.js";
import type { EntryExtras } from "./entry-extras.js";
import type { Place } from "./storage/store.js";

/** An item that comes back into its queue when its planned delay is over. */
export class Delayed<T> implements Due, Links<Delayed<T>> {
  previous: Delayed<T> | undefined = undefined;
  next: Delayed<T> | undefined = undefined;
  position = UNSET;
  order = 0;

  constructor(
    private readonly comeBack: (delayed: Delayed<T>) => void,
    readonly dueAt: number,
    readonly item: T,
    readonly extras: EntryExtras,
    readonly place: Place,
  ) {}

  ring(): void {
    this.comeBack(this);
  }
}
