import type { DropReason } from "../../src/contracts/index.js";

/** How a model is set up; the same facts as the options of the queue under test. */
export interface ModelOptions {
  readonly kind: "fifo" | "lifo" | "priority" | "deadline";
  readonly capacity: number;
  readonly whenFull: "wait" | "reject" | "evict";
  /** Names of the tiers by urgency; empty where there are none. */
  readonly tiers: readonly { readonly name: string; readonly priority: number }[];
  readonly agingMs: number;
}

/** An item with all that matters to its fate. */
export interface Entry {
  readonly id: number;
  readonly priority: number;
  readonly tier: number;
  /** Monotonic; `Infinity` where there is none. */
  readonly deadline: number;
  readonly attempt: number;
  /** Order of arrival and its time; set on arrival. */
  seq: number;
  at: number;
}

/** What became of a call, in a form that real and expected calls can be compared in. */
export type Outcome =
  | { readonly ok: unknown }
  | {
      readonly code: string;
      readonly item?: number | undefined;
      readonly items?: readonly number[];
      readonly accepted?: number;
    };

export interface Wait {
  /** Which signal the caller brought along. */
  readonly signal?: number | undefined;
  /** `Infinity` where there is no limit. */
  readonly timeoutMs?: number | undefined;
}

export type Wanted = "get" | "receive" | "getMany" | "next" | "next delivery";

interface Waiter {
  readonly call: number;
  readonly line: "put" | "get" | "join";
  readonly signal: number | undefined;
  readonly limit: { readonly at: number; readonly order: number } | undefined;
}

interface Putter extends Waiter {
  readonly line: "put";
  readonly many: boolean;
  readonly entries: Entry[];
  accepted: number;
}

interface Getter extends Waiter {
  readonly line: "get";
  readonly wanted: Wanted;
}

/** What a put brings along; `deadlineIn` counts from now. */
export interface Burden {
  readonly priority: number;
  readonly tier: number;
  readonly deadlineIn?: number | undefined;
  readonly correlationId?: string | undefined;
}

/**
 * A queue as plain arrays that are searched from end to end: slow, and plain to see. It decides what every call has to come to;
 * it shares no code with the queues.
 */
export class Model {
  readonly items: Entry[] = [];
  readonly delayed: { readonly entry: Entry; readonly at: number; readonly order: number }[] = [];
  readonly inFlight: Entry[] = [];
  readonly waiters: Waiter[] = [];
  /** By call, as soon as it is decided. */
  readonly outcomes = new Map<number, Outcome>();
  readonly drops: { readonly id: number; readonly reason: DropReason }[] = [];
  capacity: number;
  isOpen = true;
  isClosed = false;
  evictHolds = true;
  unfinished = 0;
  undone = 0;
  private tracked: boolean;
  private seq = 0;
  private order = 0;

  constructor(
    private readonly options: ModelOptions,
    public now: number,
  ) {
    this.capacity = options.capacity;
    this.tracked = options.agingMs > 0;
  }

  get putters(): Putter[] {
    return this.waiters.filter((waiter): waiter is Putter => waiter.line === "put");
  }

  get getters(): Getter[] {
    return this.waiters.filter((waiter): waiter is Getter => waiter.line === "get");
  }

  /** The queue reads the clock from now on. */
  track(): void {
    if (this.tracked) return;
    this.tracked = true;
    for (const entry of this.items) entry.at = this.now;
  }

  depth(tier: number): number {
    return this.items.filter((entry) => entry.tier === tier).length;
  }

  oldestAt(tier: number): number | undefined {
    const times = this.items.filter((entry) => entry.tier === tier).map(({ at }) => at);
    return this.tracked && times.length > 0 ? Math.min(...times) : undefined;
  }

  put(call: number, ids: readonly number[], many: boolean, burden: Burden, wait: Wait): void {
    const putter = this.putter(call, ids, many, burden, wait);
    if (ids.length === 0) {
      this.resolve(call, undefined);
      return;
    }
    if (isHeavy(burden)) this.track();
    if (!this.isOpen) {
      this.refuse(putter, "QUEUE_SHUT_DOWN");
      return;
    }
    if (this.putters.length === 0) this.fill(putter);
    if (isIn(putter)) {
      this.resolve(call, undefined);
      return;
    }
    if (this.options.whenFull === "evict" && this.evictHolds) {
      this.evictForPutters();
      this.evictFor(putter);
      return;
    }
    if (this.options.whenFull === "reject") {
      this.refuse(putter, "QUEUE_FULL", "rejected");
      return;
    }
    this.waiters.push(putter);
  }

  tryPut(call: number, id: number, burden: Burden): void {
    const putter = this.putter(call, [id], false, burden, {});
    if (!this.isOpen) {
      this.refuse(putter, "QUEUE_SHUT_DOWN");
      return;
    }
    const hasRoom = this.items.length < this.capacity && this.putters.length === 0;
    const evicts = this.options.whenFull === "evict" && this.evictHolds;
    if (!hasRoom && !evicts) {
      this.resolve(call, false);
      return;
    }
    if (isHeavy(burden)) this.track();
    if (hasRoom) this.fill(putter);
    else {
      this.evictForPutters();
      this.evictFor(putter);
    }
    this.outcomes.set(call, { ok: isIn(putter) });
  }

  pull(call: number, wanted: Wanted, max: number, wait: Wait): void {
    if (this.hasNext()) {
      if (wanted !== "getMany") {
        const entry = this.takeNext();
        this.give(call, wanted, entry);
        this.admit();
        return;
      }
      const ids: number[] = [];
      while (ids.length < max && this.hasNext()) {
        const entry = this.takeNext();
        this.undone++;
        ids.push(entry.id);
        this.admit();
      }
      this.resolve(call, ids);
      return;
    }
    const getter: Getter = { call, line: "get", wanted, signal: wait.signal, limit: this.limit(wait) };
    this.waiters.push(getter);
    this.endGetsIfFinished();
  }

  tryGet(call: number): void {
    if (this.hasNext()) {
      this.give(call, "get", this.takeNext());
      this.admit();
    } else if (this.isFinished()) this.outcomes.set(call, { code: "QUEUE_SHUT_DOWN" });
    else this.resolve(call, undefined);
  }

  peek(call: number): void {
    this.resolve(call, this.hasNext() ? this.first().id : undefined);
  }

  join(call: number, wait: Wait): void {
    if (this.unfinished === 0) {
      this.resolve(call, undefined);
      return;
    }
    this.waiters.push({ call, line: "join", signal: wait.signal, limit: this.limit(wait) });
  }

  taskDone(call: number): void {
    if (this.undone === 0) {
      this.outcomes.set(call, { code: "QUEUE_TASK_DONE" });
      return;
    }
    this.undone--;
    this.resolve(call, undefined);
    this.finish();
  }

  settle(index: number): void {
    this.inFlight.splice(index, 1);
    this.finish();
  }

  retry(index: number, delayMs: number): void {
    const [old] = this.inFlight.splice(index, 1);
    const entry = { ...old!, attempt: old!.attempt + 1 };
    if (this.isClosed) {
      this.drop(entry, "shutdown");
      return;
    }
    this.track();
    if (delayMs === 0) this.arrive(entry);
    else this.delayed.push({ entry, at: this.now + delayMs, order: this.order++ });
  }

  setCapacity(capacity: number): void {
    this.capacity = capacity;
    this.admit();
  }

  abort(signal: number): void {
    for (const waiter of this.waiters.filter((each) => each.signal === signal)) {
      this.giveUp(waiter, "ABORT_ERR");
    }
  }

  shutdown(immediate: boolean): void {
    this.isOpen = false;
    for (const putter of this.putters) this.giveUp(putter, "QUEUE_SHUT_DOWN");
    if (immediate) {
      this.isClosed = true;
      while (this.items.length > 0) this.drop(this.takeNext(), "shutdown");
      for (const { entry } of this.delayed.splice(0)) this.drop(entry, "shutdown");
    }
    this.endGetsIfFinished();
  }

  /** Time limits and delays pass one by one, each at its own instant; those of one instant in the order they were set in. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const limits = this.waiters.flatMap((waiter) =>
        waiter.limit === undefined
          ? []
          : { ...waiter.limit, ring: () => this.giveUp(waiter, "QUEUE_TIMEOUT") },
      );
      const delays = this.delayed.map((each) => ({ ...each, ring: () => this.comeBack(each) }));
      const due = [...limits, ...delays].filter(({ at }) => at <= end);
      const [first] = due.sort((a, b) => a.at - b.at || a.order - b.order);
      if (first === undefined) break;
      this.now = Math.max(this.now, first.at);
      first.ring();
    }
    this.now = end;
  }

  private putter(
    call: number,
    ids: readonly number[],
    many: boolean,
    { priority, tier, deadlineIn }: Burden,
    wait: Wait,
  ): Putter {
    const deadline = deadlineIn === undefined ? Number.POSITIVE_INFINITY : this.now + deadlineIn;
    const entries = ids.map((id) => ({ id, priority, tier, deadline, attempt: 1, seq: 0, at: 0 }));
    return {
      call,
      line: "put",
      many,
      entries,
      accepted: 0,
      signal: wait.signal,
      limit: this.limit(wait),
    };
  }

  private limit({ timeoutMs }: Wait): Waiter["limit"] {
    if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return undefined;
    return { at: this.now + timeoutMs, order: this.order++ };
  }

  private fill(putter: Putter): void {
    while (!isIn(putter) && this.items.length < this.capacity) {
      this.unfinished++;
      this.arrive(putter.entries[putter.accepted++]!);
    }
  }

  private arrive(entry: Entry): void {
    entry.seq = this.seq++;
    entry.at = this.now;
    const [getter] = this.getters;
    if (getter === undefined) this.items.push(entry);
    else if (entry.deadline < this.now) this.drop(entry, "expired");
    else {
      this.leave(getter);
      this.give(getter.call, getter.wanted, entry);
    }
  }

  private admit(): void {
    for (const putter of this.putters) {
      this.fill(putter);
      if (!isIn(putter)) return;
      this.leave(putter);
      this.resolve(putter.call, undefined);
    }
  }

  private evictForPutters(): void {
    for (const putter of this.putters) {
      this.leave(putter);
      this.evictFor(putter);
    }
  }

  /** The least urgent of all leaves, the newcomer included, until the newcomer is in or out. */
  private evictFor(putter: Putter): void {
    const victims: Entry[] = [];
    for (this.fill(putter); !isIn(putter); this.fill(putter)) {
      const newcomer = { ...putter.entries[putter.accepted]!, seq: this.seq, at: this.now };
      const victim = [...this.items, newcomer].sort((a, b) => this.compare(a, b)).at(-1)!;
      if (victim === newcomer) break;
      this.items.splice(this.items.indexOf(victim), 1);
      victims.push(victim);
    }
    for (const victim of victims) this.drop(victim, "evicted");
    if (isIn(putter)) this.resolve(putter.call, undefined);
    else this.refuse(putter, "QUEUE_FULL", "evicted");
  }

  private compare(a: Entry, b: Entry): number {
    const { kind, agingMs } = this.options;
    if (kind === "fifo") return a.seq - b.seq;
    if (kind === "lifo") return b.seq - a.seq;
    if (kind === "deadline") return a.deadline === b.deadline ? a.seq - b.seq : a.deadline - b.deadline;
    if (agingMs === 0) return a.priority - b.priority || a.seq - b.seq;
    return a.priority * agingMs + a.at - (b.priority * agingMs + b.at) || a.seq - b.seq;
  }

  private first(): Entry {
    return this.items.reduce((first, entry) => (this.compare(entry, first) < 0 ? entry : first));
  }

  private takeNext(): Entry {
    const entry = this.first();
    this.items.splice(this.items.indexOf(entry), 1);
    return entry;
  }

  private hasNext(): boolean {
    while (this.items.length > 0) {
      if (this.first().deadline >= this.now) return true;
      const entry = this.takeNext();
      this.admit();
      this.drop(entry, "expired");
    }
    return false;
  }

  private give(call: number, wanted: Wanted, entry: Entry): void {
    const { id, attempt, priority, tier } = entry;
    if (wanted === "receive" || wanted === "next delivery") {
      this.inFlight.push(entry);
      const waitMs = this.tracked ? this.now - entry.at : undefined;
      const enqueuedAt = this.tracked ? entry.at : undefined;
      const name = this.options.tiers[tier]?.name ?? "default";
      this.resolve(call, { item: id, attempt, priority, tier: name, waitMs, enqueuedAt });
      return;
    }
    this.undone++;
    this.resolve(call, wanted === "getMany" ? [id] : id);
  }

  private drop(entry: Entry, reason: DropReason): void {
    this.drops.push({ id: entry.id, reason });
    this.finish();
  }

  private finish(): void {
    if (--this.unfinished > 0) return;
    for (const waiter of this.waiters.filter(({ line }) => line === "join")) {
      this.leave(waiter);
      this.resolve(waiter.call, undefined);
    }
  }

  private comeBack(delayed: Model["delayed"][number]): void {
    const index = this.delayed.findIndex(({ order }) => order === delayed.order);
    this.delayed.splice(index, 1);
    this.arrive(delayed.entry);
    this.endGetsIfFinished();
  }

  private isFinished(): boolean {
    return !this.isOpen && this.items.length === 0 && this.delayed.length === 0;
  }

  private endGetsIfFinished(): void {
    if (!this.isFinished()) return;
    for (const getter of this.getters) {
      this.leave(getter);
      if (getter.wanted.startsWith("next")) this.resolve(getter.call, "end");
      else this.outcomes.set(getter.call, { code: "QUEUE_SHUT_DOWN" });
    }
  }

  private leave(waiter: Waiter): void {
    this.waiters.splice(this.waiters.indexOf(waiter), 1);
  }

  private giveUp(waiter: Waiter, code: string): void {
    this.leave(waiter);
    if (waiter.line === "put" && (code !== "ABORT_ERR" || (waiter as Putter).many)) {
      this.refuse(waiter as Putter, code);
    } else this.outcomes.set(waiter.call, { code });
  }

  private refuse({ call, many, entries, accepted }: Putter, code: string, reason?: DropReason): void {
    const items = entries.slice(accepted).map(({ id }) => id);
    this.outcomes.set(call, many ? { code, item: items[0], items, accepted } : { code, item: items[0] });
    if (reason !== undefined) for (const id of items) this.drops.push({ id, reason });
  }

  private resolve(call: number, value: unknown): void {
    this.outcomes.set(call, { ok: value });
  }
}

function isIn(putter: Putter): boolean {
  return putter.accepted === putter.entries.length;
}

/** Does the item bring along what only an entry with a time can keep? */
function isHeavy({ deadlineIn, correlationId }: Burden): boolean {
  return deadlineIn !== undefined || correlationId !== undefined;
}
