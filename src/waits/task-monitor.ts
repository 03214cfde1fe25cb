import type { Carrier, TaskFacts, TaskMonitor } from "../contracts/index.js";
import { has, waitsFor } from "./resources.js";
import { spanEnded, spanStarted } from "./sources/spans.js";
import { sampledPlace } from "./stacks.js";
import { TaskContext } from "./task-notes.js";

/** Where sampled items were put, by what travels with them. */
const places = new WeakMap<object, Error>();
/** Whether there has ever been one. */
let hasPlaces = false;

/** Gets what telemetry sees of tasks while a watchdog runs. */
export const taskMonitor: TaskMonitor = {
  put: sampledPlace,

  remember(carrier: object, place: object): void {
    places.set(carrier, place as Error);
    hasPlaces = true;
  },

  begin(task: TaskFacts, carrier: Carrier): TaskFacts {
    // Nothing can be noted on a frozen task.
    if (!Object.isExtensible(task)) return task;
    const taskContext = new TaskContext(task);
    const place = hasPlaces && carrier !== undefined ? places.get(carrier) : undefined;
    if (place !== undefined) taskContext.notes.putAt = place;
    return taskContext;
  },

  returned(store: TaskFacts, result: unknown): void {
    if (store instanceof TaskContext) store.returned(result);
  },

  threw(store: TaskFacts, error: unknown): void {
    if (store instanceof TaskContext) store.threw(error);
  },

  spanStarted,
  spanEnded,
  waits: waitsFor,
  has,
};
