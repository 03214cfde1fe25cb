import type {
  BrokerHub,
  Consumer,
  OpenedQueue,
  PoolView,
  Settlement,
  TakenMessage,
} from "../../contracts/index.js";
import { Getter } from "./getter.js";

/** For so long more is taken than is asked for, in milliseconds: a consumer that asks again and again is to find its place. */
const LINGER_MS = 1_000;

/** What {@link Inbox} needs to know, and whom it gives messages to. */
interface Surroundings<T> {
  readonly queue: string;
  readonly hub: BrokerHub;
  readonly pools: ReadonlySet<PoolView>;
  give(consumer: Consumer<T>, message: TakenMessage, item: T): void;
  /** An outcome is being written. The promise never rejects. */
  writes(written: Promise<void>): void;
}

/** A message that has come and has no consumer yet. */
export interface Arrived<T> {
  readonly message: TakenMessage;
  readonly item: T;
}

/** What comes from the broker, and who waits for it. It takes no more than its consumers can work on: what waits, waits in the broker. */
export class Inbox<T> {
  private readonly arrived: Arrived<T>[] = [];
  private readonly line = new Set<Consumer<T>>();
  /** Deliveries that were taken outside of pools, and are not settled. */
  byHand = 0;
  private opened: OpenedQueue | undefined = undefined;
  private most = 0;
  private lowering: NodeJS.Timeout | undefined = undefined;
  isShut = false;

  constructor(private readonly around: Surroundings<T>) {}

  /** Messages that are here, and with which nothing has begun. */
  get size(): number {
    return this.arrived.length;
  }

  correlationIds(most: number): string[] {
    return this.arrived.slice(0, most).map(({ message }) => message.delivery.correlationId);
  }

  begin(opened: OpenedQueue): void {
    this.opened = opened;
    this.ask();
  }

  next(): Arrived<T> | undefined {
    return this.arrived.shift();
  }

  stand(consumer: Consumer<T>): void {
    if (consumer.isInLine) return;
    if (this.isShut) {
      consumer.ended();
      return;
    }
    consumer.isInLine = true;
    this.line.add(consumer);
    this.ask();
    // Its pool looks before it stands in line, and something may have come in between.
    const next = this.arrived.length > 0 && this.line.size === 1 ? this.arrived.shift() : undefined;
    if (next !== undefined) this.give(next);
  }

  leave(consumer: Consumer<T>): void {
    this.line.delete(consumer);
    consumer.isInLine = false;
    this.ask();
  }

  /** A message has come. */
  readonly came = (message: TakenMessage): void => {
    if (this.isShut || this.most === 0) {
      this.giveBack(message);
      return;
    }
    let item: T;
    try {
      item = message.read() as T;
    } catch (error) {
      this.unreadable(message, error);
      return;
    }
    if (this.line.size > 0) this.give({ message, item });
    else this.arrived.push({ message, item });
  };

  /** Takes no more, ever; what is here goes back. Returns those who waited. */
  shut(): readonly Consumer<T>[] {
    this.isShut = true;
    this.lower(0);
    const waited = [...this.line];
    this.line.clear();
    for (const consumer of waited) consumer.isInLine = false;
    return waited;
  }

  /** As much is taken as can be worked on. Less than before is taken a little later, unless a pool has been told to rest. */
  ask(): void {
    const { opened } = this;
    if (opened === undefined || this.isShut) return;
    const wanted = this.wanted();
    if (wanted > this.most) {
      this.most = wanted;
      opened.take(wanted);
    } else if (wanted < this.most) {
      if (wanted === 0 && this.arePoolsAtRest()) this.lower(0);
      else if (this.lowering === undefined) {
        this.lowering = setTimeout(() => this.lower(this.wanted()), LINGER_MS);
        this.lowering.unref();
      }
    }
  }

  private give(next: Arrived<T>): void {
    const [consumer] = this.line;
    this.line.delete(consumer!);
    consumer!.isInLine = false;
    this.around.give(consumer!, next.message, next.item);
  }

  private lower(most: number): void {
    clearTimeout(this.lowering);
    this.lowering = undefined;
    if (most < this.most) {
      this.most = most;
      this.opened?.take(most);
    }
    if (most === 0) for (const { message } of this.arrived.splice(0)) this.giveBack(message);
  }

  /** Another attempt would fail, too. */
  private unreadable(message: TakenMessage, error: unknown): void {
    const { hub, queue } = this.around;
    hub.fault(queue, error);
    this.settle(message, message.failed(error), "failure", error);
  }

  private giveBack(message: TakenMessage): void {
    this.settle(message, message.giveBack(), "moved");
  }

  private settle(message: TakenMessage, writing: Promise<void>, how: Settlement, error?: unknown): void {
    const { hub, queue, writes } = this.around;
    const written = writing.then(
      () => hub.settle(message.delivery, how, error),
      (failure) => {
        hub.fault(queue, failure);
        hub.settle(message.delivery, "abandoned", failure);
      },
    );
    writes(written);
  }

  private wanted(): number {
    let wanted = this.byHand;
    for (const consumer of this.line) if (consumer instanceof Getter) wanted++;
    for (const pool of this.around.pools) wanted += pool.isTaking ? workersOf(pool) : busyOf(pool);
    return wanted;
  }

  private arePoolsAtRest(): boolean {
    for (const pool of this.around.pools) if (!pool.isTaking) return true;
    return false;
  }
}

/** Tasks that are under way. */
function busyOf(pool: PoolView): number {
  return pool.count("processing") + pool.count("backoff") + pool.count("stalled");
}

function workersOf(pool: PoolView): number {
  return pool.count("idle") + busyOf(pool);
}
