import type { LimitedResource, TaskFacts } from "../contracts/index.js";
import { Holders } from "./clients/pool-wait.js";
import { Pending } from "./sources/source.js";
import { currentTaskNotes, type TaskNotes } from "./task-notes.js";
import type { Holder, ResourceUse, WaitKind } from "./wait.js";

const holders = new WeakMap<object, Holders>();

/** The tasks that have something of the resource. */
export function holdersOf(resource: object): readonly Holder[] | undefined {
  return holders.get(resource)?.list();
}

class ResourceWait extends Pending {
  constructor(
    notes: TaskNotes,
    private readonly resource: LimitedResource,
  ) {
    super(notes);
  }

  get kind(): WaitKind {
    return this.resource.kind;
  }

  protected label(): string {
    return this.resource.label;
  }

  protected override state(): string | undefined {
    return this.resource.state();
  }

  protected override use(): ResourceUse {
    return this.resource.use();
  }

  protected override holders(): readonly Holder[] | undefined {
    return holdersOf(this.resource.of);
  }
}

/** The current task waits for it. */
export function waitsFor(resource: LimitedResource): { end(): void } | undefined {
  const notes = currentTaskNotes();
  return notes === undefined ? undefined : new ResourceWait(notes, resource);
}

/** The given task has it, else the current one. */
export function has(resource: object, given?: object): { end(): void } | undefined {
  const task =
    given !== undefined && "correlationId" in given ? (given as TaskFacts) : currentTaskNotes()?.task;
  if (task === undefined) return undefined;
  const all = holders.get(resource) ?? new Holders();
  holders.set(resource, all);
  const held = { end: () => all.gave(held) };
  all.took(held, task);
  return held;
}
