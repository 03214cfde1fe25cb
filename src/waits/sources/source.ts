import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { realNow } from "../../base/real-time.js";
import { short } from "../labels.js";
import { framesOf, sampledPlace } from "../stacks.js";
import type { TaskNotes } from "../task-notes.js";
import type { Holder, OpenWait, ResourceUse, Wait, WaitKind } from "../wait.js";

/** Called with what is published; its form is in Node's documentation. */
// biome-ignore lint/suspicious/noExplicitAny: each channel has a form of its own
export type Listener = (message: any) => void;

/** Channels that publish what tasks wait for. Those that this version of Node lacks stay silent. */
export type Source = Readonly<Record<string, Listener>>;

/** Listens to all channels of the sources; returns the function that ends it. What a listener throws must not reach the publisher. */
export function listen(sources: readonly Source[]): () => void {
  const pairs = sources.flatMap((source) =>
    Object.entries(source).map(([channel, listener]) => {
      const contained = (message: unknown) => {
        try {
          listener(message);
        } catch {
          // Another version of Node may publish another form: that wait stays unknown.
        }
      };
      return [channel, contained] as const;
    }),
  );
  for (const [channel, listener] of pairs) subscribe(channel, listener);
  return () => {
    for (const [channel, listener] of pairs) unsubscribe(channel, listener);
  };
}

/** Something that a task waits for, until it ends. Its label and state are read only when it is described. */
export abstract class Pending implements OpenWait {
  previous: OpenWait | undefined = undefined;
  next: OpenWait | undefined = undefined;
  readonly since = realNow();
  private readonly place = sampledPlace();
  private hasEnded = false;

  constructor(readonly notes: TaskNotes) {
    notes.pending.append(this);
  }

  abstract readonly kind: WaitKind;
  protected abstract label(): string;

  protected state(): string | undefined {
    return undefined;
  }

  protected use(): ResourceUse | undefined {
    return undefined;
  }

  protected holders(): readonly Holder[] | undefined {
    return undefined;
  }

  /** Can be called again. */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
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
      use: this.use(),
      holders: this.holders(),
    };
  }
}
