import { processWide } from "../base/process-wide.js";
import { tracedClients } from "./clients/channels.js";
import { watchConnections } from "./clients/connections.js";
import { ioredis } from "./clients/ioredis.js";
import { PatchedModules } from "./clients/modules.js";
import { mysql2 } from "./clients/mysql2.js";
import { pg } from "./clients/pg.js";
import { otherPools } from "./clients/pools.js";
import { children } from "./sources/children.js";
import { fetches } from "./sources/fetch.js";
import { http2Streams, httpRequests } from "./sources/http.js";
import { openSockets } from "./sources/sockets.js";
import { listen } from "./sources/source.js";
import { watchTimers } from "./sources/timers.js";
import { framesOf, samplePlaces } from "./stacks.js";
import { taskMonitor } from "./task-monitor.js";
import { taskLinkOf } from "./task-notes.js";
import { type CallSite, HINTS, type Wait, type WaitKind } from "./wait.js";

const SOURCES = [fetches, httpRequests, http2Streams, openSockets, children, ...tracedClients];
const PATCHES = [...pg, ...mysql2, ioredis, ...otherPools];

/** One copy of this library monitors for all; every copy can read its notes. */
const { activeTaskMonitor } = processWide;

/** How many waits of a task are described, and how many are visited for that. */
const MAX_WAITS = 20;
const MAX_VISITED = 100;

const ASKING: ReadonlySet<WaitKind> = new Set<WaitKind>(["http", "query", "connection"]);

/** What each task waits for, of those that began while this was started. A store stands for a task in lists of what is in flight. */
export class Waits {
  private isStarted = false;

  /** The place of one put, and of one wait, in `stackEvery` is remembered; 0: of none. */
  constructor(private readonly stackEvery = 0) {}

  /** Can be called again. */
  start(): void {
    if (this.isStarted) return;
    this.isStarted = true;
    if (this.stackEvery > 0) samplePlaces(this.stackEvery);
    if (activeTaskMonitor.users++ > 0) return;
    const modules = new PatchedModules(PATCHES);
    modules.look();
    // A client is loaded before it connects.
    const stops = [listen(SOURCES), watchConnections(modules.look), watchTimers(), () => modules.restore()];
    activeTaskMonitor.current = taskMonitor;
    activeTaskMonitor.end = () => {
      activeTaskMonitor.current = undefined;
      activeTaskMonitor.end = undefined;
      for (const stop of stops) stop();
      samplePlaces(0);
    };
  }

  /** The waits of tasks that have begun by then stay readable. Can be called again. */
  stop(): void {
    if (!this.isStarted) return;
    this.isStarted = false;
    if (--activeTaskMonitor.users === 0) activeTaskMonitor.end?.();
  }

  /** What the task waits for now, newest last; of very many the newest. Connections that are merely open come first. */
  of(store: object): readonly Wait[] {
    const waits: Wait[] = [];
    const sockets: Wait[] = [];
    const timers: Wait[] = [];
    let visited = 0;
    for (
      let open = taskLinkOf(store)?.notes.pending.last;
      open !== undefined && visited < MAX_VISITED && waits.length + sockets.length < MAX_WAITS;
    ) {
      visited++;
      // One that is over may leave the list.
      const { previous } = open;
      const list = open.kind === "socket" ? sockets : open.kind === "timer" ? timers : waits;
      try {
        const wait = list.length < MAX_WAITS ? open.describe() : undefined;
        if (wait !== undefined) list.unshift(wait);
      } catch {
        // Another version of Node may have another form: that wait stays unknown.
      }
      open = previous;
    }
    // What is asked for by a client goes through the connection that this needs.
    const told = waits.some(({ kind }) => ASKING.has(kind)) ? waits : [...sockets, ...waits];
    const known = told.filter(({ kind }) => !HINTS.has(kind));
    if (known.some(({ kind }) => kind !== "span")) return known;
    return [...timers, ...told.filter(({ kind }) => HINTS.has(kind)), ...known];
  }

  /** Where the item was put, if that was sampled. */
  putAt(store: object): readonly CallSite[] | undefined {
    const place = taskLinkOf(store)?.notes.putAt;
    return place && framesOf(place);
  }

  /**
   * Whether it is proven that the task can never go on. Undefined: not known. An answer takes a collection of the whole heap after the first
   * call; so call it at each sample for each task that is no longer new.
   */
  neverResumes(store: object): boolean | undefined {
    return taskLinkOf(store)?.neverResumes();
  }
}
