import { checkNumber, checkObject } from "../base/checks.js";
import { processWide } from "../base/process-wide.js";
import { children } from "./sources/children.js";
import { fetches } from "./sources/fetch.js";
import { httpRequests } from "./sources/http.js";
import { http2Streams } from "./sources/http2.js";
import { openSockets } from "./sources/sockets.js";
import { listen } from "./sources/source.js";
import { framesOf, samplePlaces } from "./stacks.js";
import { onlooker } from "./task-monitor.js";
import { entryOf } from "./task-notes.js";
import type { Frame, Wait } from "./wait.js";

const SOURCES = [fetches, httpRequests, http2Streams, openSockets, children];

/** Of all copies of this library one looks on for all; what it notes down, every copy can read. */
const { activeTaskMonitor } = processWide;

/** How many waits of a task are told, and how many are looked at for that. */
const MAX_WAITS = 20;
const MAX_LOOKED = 100;

export interface WaitsOptions {
  /** Where an item was put and where a wait began is remembered for one in so many. Default: 0, for none. */
  stackEvery?: number | undefined;
}

/** Knows what each task waits for that began while this was started. A store is what stands for a task in lists of what is in flight. */
export class Waits {
  private readonly stackEvery: number;
  private isStarted = false;

  /** Throws an `InvalidOption…Error`. */
  constructor(options: WaitsOptions = {}) {
    checkObject("options", options);
    const { stackEvery = 0 } = options;
    checkNumber("stackEvery", stackEvery, "a whole number, from 0", (n) => Number.isSafeInteger(n) && n >= 0);
    this.stackEvery = stackEvery;
  }

  /** Can be called again. */
  start(): void {
    if (this.isStarted) return;
    this.isStarted = true;
    if (this.stackEvery > 0) samplePlaces(this.stackEvery);
    if (activeTaskMonitor.users++ > 0) return;
    const stopListening = listen(SOURCES);
    activeTaskMonitor.current = onlooker;
    activeTaskMonitor.end = () => {
      activeTaskMonitor.current = undefined;
      activeTaskMonitor.end = undefined;
      stopListening();
      samplePlaces(0);
    };
  }

  /** What tasks wait for that have begun until now can still be asked for. Can be called again. */
  stop(): void {
    if (!this.isStarted) return;
    this.isStarted = false;
    if (--activeTaskMonitor.users === 0) activeTaskMonitor.end?.();
  }

  /** What the task waits for now, newest last: of very many the newest. Connections that are merely open come first. */
  of(store: object): readonly Wait[] {
    const waits: Wait[] = [];
    const sockets: Wait[] = [];
    let looked = 0;
    for (
      let open = entryOf(store)?.sheet.pending.last;
      open !== undefined && looked < MAX_LOOKED && waits.length + sockets.length < MAX_WAITS;
      open = open.previous
    ) {
      looked++;
      try {
        const wait = open.look();
        if (wait !== undefined) (open.kind === "socket" ? sockets : waits).unshift(wait);
      } catch {
        // It is of another form than we know, in another version of Node say: that wait stays unknown.
      }
    }
    // A request opens the connection that it needs.
    return waits.some(({ kind }) => kind === "http") ? waits : [...sockets, ...waits];
  }

  /** Where the item was put, if that was sampled. */
  putAt(store: object): readonly Frame[] | undefined {
    const place = entryOf(store)?.sheet.putAt;
    return place && framesOf(place);
  }

  /**
   * Is it proven that the task can never go on? Undefined: not known. Only after this is first asked, and the garbage collector
   * has been through the whole heap since, can there be an answer; so ask at each look for each task that is no longer new.
   */
  neverResumes(store: object): boolean | undefined {
    return entryOf(store)?.neverResumes();
  }
}
