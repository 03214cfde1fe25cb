import type { QueueDetail, QueueRow } from "../../inspector/protocol.js";

/** By what queues can be sorted: the greatest first, but for names. */
export const ORDERS = {
  worst: ({ rank }: QueueRow) => -rank,
  name: ({ name }: QueueRow) => name,
  sla: ({ slaUsed }: QueueRow) => -(slaUsed ?? -1),
  oldest: ({ oldestMs }: QueueRow) => -(oldestMs ?? -1),
  depth: ({ depth }: QueueRow) => -(depth ?? -1),
  p99: ({ waitP99Ms }: QueueRow) => -(waitP99Ms ?? -1),
  in: ({ inPerSecond }: QueueRow) => -inPerSecond,
  out: ({ outPerSecond }: QueueRow) => -outPerSecond,
  failures: ({ failedPerSecond }: QueueRow) => -failedPerSecond,
} as const;

export type Order = keyof typeof ORDERS;

/** A queue, among those of all processes. */
export interface Chosen {
  readonly process: string;
  readonly name: string;
}

/** What a person has chosen to see, by keys. Knows nothing of terminals. */
export class Screen {
  order: Order = "worst";
  isReversed = false;
  filter = "";
  isTyping = false;
  isFrozen = false;
  hasHelp = false;
  /** The queue whose details are shown. */
  detail: Chosen | undefined = undefined;
  detailNow: QueueDetail | undefined = undefined;
  /** How many lines of what doesn't fit are above. */
  scrolled = 0;
  private chosen: Chosen | undefined = undefined;
  private rows: readonly QueueRow[] = [];

  /** Those that are shown, in order. */
  show(all: readonly QueueRow[]): readonly QueueRow[] {
    const wanted = this.filter.toLowerCase();
    const by = ORDERS[this.order];
    const direction = this.isReversed ? -1 : 1;
    this.rows = all
      .filter(({ name, process }) => wanted === "" || `${name} ${process}`.toLowerCase().includes(wanted))
      .sort(
        (a, b) =>
          direction * compare(by(a), by(b)) || compare(a.name, b.name) || compare(a.process, b.process),
      );
    return this.rows;
  }

  /** Index of the one that is chosen among those that are shown; -1 where there are none. */
  get at(): number {
    const { chosen, rows } = this;
    const found = rows.findIndex((row) => row.process === chosen?.process && row.name === chosen.name);
    return found === -1 && rows.length > 0 ? 0 : found;
  }

  /** Returns `quit` where that is what the key is for. */
  press(key: string): "quit" | undefined {
    if (this.isTyping) {
      this.type(key);
      return undefined;
    }
    if (key === "\u0003") return "quit";
    if (this.hasHelp) {
      this.hasHelp = false;
      return undefined;
    }
    const act = KEYS[key];
    return act === undefined ? undefined : act(this);
  }

  move(by: number): undefined {
    if (this.detail !== undefined) {
      this.scrolled = Math.max(0, this.scrolled + by);
      return;
    }
    const row = this.rows[Math.min(Math.max(0, this.at + by), this.rows.length - 1)];
    if (row !== undefined) this.chosen = { process: row.process, name: row.name };
  }

  enter(): undefined {
    const row = this.rows[this.at];
    if (row === undefined || this.detail !== undefined) return;
    this.chosen = { process: row.process, name: row.name };
    this.detail = this.chosen;
    this.detailNow = undefined;
    this.scrolled = 0;
  }

  /** One step back: details, then the filter. */
  back(): undefined {
    if (this.detail !== undefined) {
      this.detail = undefined;
      this.detailNow = undefined;
    } else {
      this.filter = "";
    }
  }

  private type(key: string): void {
    if (key === "\r" || key === "\n" || key === "\u0003") this.isTyping = false;
    else if (key === "\u001b") {
      this.filter = "";
      this.isTyping = false;
    } else if (key === "\u007f" || key === "\b") this.filter = [...this.filter].slice(0, -1).join("");
    else if (!/\p{Cc}/u.test(key)) this.filter += key;
  }
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === "string" || typeof b === "string") return String(a).localeCompare(String(b));
  return a - b;
}

const NAMES = Object.keys(ORDERS) as Order[];

function nextOrder(screen: Screen): undefined {
  screen.order = NAMES[(NAMES.indexOf(screen.order) + 1) % NAMES.length]!;
}

const QUIT = () => "quit" as const;

const KEYS: Readonly<Record<string, (screen: Screen) => "quit" | undefined>> = {
  q: QUIT,
  "\u001b[A": (screen) => screen.move(-1),
  k: (screen) => screen.move(-1),
  "\u001b[B": (screen) => screen.move(1),
  j: (screen) => screen.move(1),
  "\u001b[5~": (screen) => screen.move(-10),
  "\u001b[6~": (screen) => screen.move(10),
  "\u001b[H": (screen) => screen.move(-1_000_000),
  "\u001b[F": (screen) => screen.move(1_000_000),
  g: (screen) => screen.move(-1_000_000),
  G: (screen) => screen.move(1_000_000),
  "\r": (screen) => screen.enter(),
  "\n": (screen) => screen.enter(),
  "\u001b": (screen) => screen.back(),
  "\u007f": (screen) => screen.back(),
  s: nextOrder,
  r: (screen) => {
    screen.isReversed = !screen.isReversed;
    return undefined;
  },
  "/": (screen) => {
    screen.isTyping = true;
    return undefined;
  },
  " ": (screen) => {
    screen.isFrozen = !screen.isFrozen;
    return undefined;
  },
  "?": (screen) => {
    screen.hasHelp = true;
    return undefined;
  },
  h: (screen) => {
    screen.hasHelp = true;
    return undefined;
  },
};

const ESCAPE = "\u001b";
/** An arrow or the like, or one character. Terminals have two forms of the first. */
const KEY = new RegExp(`${ESCAPE}\\[[\\d;]*[A-Za-z~]|${ESCAPE}O[A-Za-z]|[\\s\\S]`, "gu");

/** What was typed, key by key: several may come at once. */
export function keysIn(text: string): string[] {
  return [...text.matchAll(KEY)].map(([key]) => key.replace(`${ESCAPE}O`, `${ESCAPE}[`));
}
