/** Of whom the promise is that a function returned: of nothing yet, while it runs; of functions of the task; of what is not known. */
export const NOTHING_YET = 0;
export const CALLED = 1;
export const UNKNOWN = 2;

/** The `return` of a promise by a function, which goes on as a ghost. */
export class Returned<Frame extends object = object> {
  to: typeof NOTHING_YET | typeof CALLED | typeof UNKNOWN = NOTHING_YET;
  /** How many of the functions that it called are unknown ghosts. */
  unknown = 0;
  /** The next ghost of what called it. */
  next: Frame | undefined = undefined;
  /** Where it must be told whether the promise is pending. */
  ref: WeakRef<Promise<unknown>> | undefined = undefined;
  private keeper: WeakRef<Keeper> | undefined = undefined;

  constructor(
    readonly site: number,
    /** Until what called the function is suspended: from then on nothing of the user's is held. */
    public promise: Promise<unknown> | undefined,
  ) {}

  /** The promise is no longer held; where it may be one of several that are awaited, it is referred to. */
  look(isOneOfSeveral: boolean, frame: Frame, store: object | undefined): void {
    const { promise } = this;
    this.promise = undefined;
    if (promise === undefined || !isOneOfSeveral || store === undefined) return;
    this.ref = new WeakRef(promise);
    this.keeper = keeperOf(store);
    this.keeper.deref()?.promises.set(frame, promise);
  }

  forget(frame: Frame): void {
    this.promise = undefined;
    this.keeper?.deref()?.promises.delete(frame);
  }
}

/** Keeps promises as long as the async context is there that is its key: one that is collected can never settle. */
class Keeper {
  readonly promises = new Map<object, Promise<unknown>>();
  readonly ref = new WeakRef(this);
}

const keepers = new WeakMap<object, Keeper>();

/** Frames are held by the task, which must not hold its context: else it could never be proven that nothing goes on there. */
function keeperOf(store: object): WeakRef<Keeper> {
  const keeper = keepers.get(store) ?? new Keeper();
  keepers.set(store, keeper);
  return keeper.ref;
}
