import { realNow } from "../base/real-time.js";
import { short } from "./labels.js";
import { framesOf, sampledPlace } from "./stacks.js";
import type { TaskNotes } from "./task-notes.js";
import type { OpenWait, Wait, WaitKind } from "./wait.js";

/** Something that a task waits for, until it ends. Its label and state are read only when it is described. */
export abstract class Pending implements OpenWait {
  previous: OpenWait | undefined = undefined;
  next: OpenWait | undefined = undefined;
  private readonly since = realNow();
  private readonly place = sampledPlace();
  private isOver = false;

  constructor(private readonly notes: TaskNotes) {
    notes.pending.append(this);
  }

  abstract readonly kind: WaitKind;
  protected abstract label(): string;

  protected state(): string | undefined {
    return undefined;
  }

  /** Can be called again. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.notes.pending.remove(this);
  }

  describe(): Wait | undefined {
    const { kind, since, place } = this;
    const state = this.state();
    return {
      kind,
      label: short(this.label()),
      state: state === undefined ? undefined : short(state),
      since,
      stack: place && framesOf(place),
    };
  }
}
