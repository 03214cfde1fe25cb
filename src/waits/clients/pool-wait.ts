import { realNow } from "../../base/real-time.js";
import type { TaskFacts } from "../../contracts/index.js";
import { Pending } from "../sources/source.js";
import type { TaskNotes } from "../task-notes.js";
import { type Holder, MAX_HOLDERS, type ResourceUse, type Wait } from "../wait.js";

/** Which tasks have something of a limited resource, since when. */
export class Holders {
  private readonly held = new Map<unknown, { readonly task: TaskFacts; readonly since: number }>();

  /** Nothing where no task is known. */
  took(what: unknown, task: TaskFacts | undefined): void {
    this.held.delete(what);
    if (task !== undefined) this.held.set(what, { task, since: realNow() });
  }

  gave(what: unknown): void {
    this.held.delete(what);
  }

  /** Those that have had it longest, first; what isn't `wanted` is left out. */
  list(wanted: (what: unknown) => boolean = () => true): readonly Holder[] {
    const holders: Holder[] = [];
    for (const [what, { task, since }] of this.held) {
      if (holders.length === MAX_HOLDERS) break;
      if (wanted(what)) holders.push({ correlationId: task.correlationId, since });
    }
    return holders;
  }
}

/** What a pool of connections tells of itself. */
export interface PoolFacts {
  /** Such as `pg pool at db:5432`. */
  label(): string;
  use(): ResourceUse;
  readonly holders: Holders;
}

/** A task waits until a pool gives it a connection. */
export class ConnectionWait extends Pending {
  readonly kind = "connection";

  constructor(
    notes: TaskNotes,
    private readonly pool: PoolFacts,
    /** Whether the pool has forgotten it, having failed. */
    private readonly isOver: () => boolean = never,
  ) {
    super(notes);
  }

  override describe(): Wait | undefined {
    if (!this.isOver()) return super.describe();
    this.end();
    return undefined;
  }

  protected label(): string {
    return this.pool.label();
  }

  /** The checks know a pool that is too small by these words. */
  protected override state(): string {
    const { inUse, limit } = this.pool.use();
    return inUse !== undefined && limit !== undefined && inUse < limit
      ? "connecting"
      : "waiting for a connection";
  }

  protected override use(): ResourceUse {
    return this.pool.use();
  }

  protected override holders(): readonly Holder[] {
    return this.pool.holders.list();
  }
}

function never(): boolean {
  return false;
}
