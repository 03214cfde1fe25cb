import { realClearInterval, realSetInterval, realWallNow } from "../../base/real-time.js";
import {
  type ActionRequest,
  type Changes,
  type Hello,
  PROTOCOL,
  type ProcessInfo,
  type QueueRow,
  type ReportList,
  type SearchAnswer,
  type ServerEvents,
  type Snapshot,
  type Tree,
} from "../protocol.js";
import { findSockets, removeIfStale } from "../sockets/stale.js";
import { findProcess, onlyOne, type Question, type View, ViewError, type Watcher } from "../view.js";
import { MergedMetrics } from "./merged-metrics.js";
import { RemoteProcess } from "./remote-process.js";

/** How often it looks for processes, and asks for details, while it is watched, in milliseconds. */
const EVERY_MS = 1_000;
/** A socket that did not answer is tried again after so many looks. */
const TRY_AGAIN_LOOKS = 5;

/** All processes of this user on this machine that can be looked into, and views that are given. */
export class CombinedView implements View {
  private readonly remotes = new Map<string, RemoteProcess>();
  private readonly watchers = new Set<Watcher>();
  private readonly own: readonly View[];
  /** What ends the watch of each view that was given. */
  private ownEnds: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** Sockets that did not answer, and at which look they are tried again. */
  private readonly silent = new Map<string, number>();
  private looks = 0;
  private finding: Promise<void> | undefined;

  constructor(
    own: readonly View[] = [],
    private readonly metrics = new MergedMetrics(),
  ) {
    this.own = own;
  }

  get processes(): readonly ProcessInfo[] {
    return [
      ...this.own.flatMap(({ processes }) => processes),
      ...[...this.remotes.values()].map(({ info }) => info),
    ];
  }

  /** Processes that came and went; those that are there can be asked then. Never rejects. */
  find(): Promise<void> {
    this.finding ??= this.findNow().finally(() => {
      this.finding = undefined;
    });
    return this.finding;
  }

  private async findNow(): Promise<void> {
    const found = findSockets();
    const ids = new Set(found.map(({ id }) => id));
    for (const id of this.remotes.keys()) if (!ids.has(id)) this.forget(id);
    const ownIds = new Set(this.own.flatMap(({ processes }) => processes.map(({ id }) => id)));
    const isNew = (id: string) => !this.remotes.has(id) && !ownIds.has(id);
    await Promise.all(
      found
        .filter(({ id, path }) => isNew(id) && (this.silent.get(path) ?? 0) <= this.looks)
        .map(async ({ id, path }) => {
          try {
            const remote = await RemoteProcess.at(path);
            this.silent.delete(path);
            if (this.remotes.has(id)) return;
            this.remotes.set(id, remote);
            if (this.watchers.size > 0) this.follow(id, remote);
          } catch {
            if (!(await removeIfStale(path))) this.silent.set(path, this.looks + TRY_AGAIN_LOOKS);
          }
        }),
    );
  }

  async hello(): Promise<Pick<Hello, "processes">> {
    await this.find();
    return { processes: this.processes };
  }

  async snapshot(process?: string): Promise<Snapshot> {
    await this.find();
    if (process !== undefined) {
      const { id } = onlyOne(this.processes, process);
      return await (this.ownWith(id)?.snapshot() ?? this.from(id, (remote) => remote.snapshot()));
    }
    const asked = await Promise.all([
      ...this.own.map((view) => view.snapshot()),
      ...[...this.remotes.keys()].map((id) =>
        this.from(id, (remote) => remote.snapshot()).catch(() => undefined),
      ),
    ]);
    return together(asked.filter((each) => each !== undefined));
  }

  async watch(watcher: Watcher): Promise<() => void> {
    await this.find();
    const wanted =
      watcher.process === undefined && watcher.queue === undefined
        ? undefined
        : onlyOne(this.processes, watcher.process).id;
    const own = { ...watcher, process: wanted };
    if (this.timer === undefined) {
      this.timer = realSetInterval(() => void this.look(), EVERY_MS).unref();
      await this.followAll();
    }
    const states = [...this.remotes.values()].filter(
      ({ info }) => wanted === undefined || info.id === wanted,
    );
    const snapshots = await Promise.all(
      this.own
        .filter((view) => wanted === undefined || view.processes.some(({ id }) => id === wanted))
        .map((view) => view.snapshot()),
    );
    const told = states.flatMap(({ state }): Snapshot[] =>
      state.process === undefined
        ? []
        : [{ protocol: PROTOCOL, at: now(), processes: [state.process], queues: state.queues }],
    );
    watcher.send("snapshot", JSON.stringify(together([...snapshots, ...told])));
    this.watchers.add(own);
    void this.sendDetails([own]);
    return () => {
      this.watchers.delete(own);
      if (this.watchers.size === 0) this.rest();
    };
  }

  async ask(question: Question): Promise<string> {
    await this.find();
    // What processes had counted that are gone is among them, however many there are.
    if (question.process === undefined && question.route === "metrics") return this.allMetrics();
    if (question.process === undefined && this.processes.length !== 1) {
      if (question.route === "reports" || question.route === "tree" || question.route === "search")
        return JSON.stringify(await this.askAll(question));
    }
    const { id } = onlyOne(this.processes, question.process);
    const own = this.ownWith(id);
    return await (own?.ask({ ...question, process: undefined }) ?? this.answerOf(id, question));
  }

  async act(request: ActionRequest, by: string, token?: string): Promise<string> {
    await this.find();
    const { id } = onlyOne(this.processes, request.process);
    const own = this.ownWith(id);
    const { process: _, ...rest } = request;
    return await (own?.act(rest, by, token) ?? this.from(id, (remote) => remote.act(rest, token)));
  }

  close(): void {
    this.watchers.clear();
    this.rest();
    this.remotes.clear();
  }

  private rest(): void {
    realClearInterval(this.timer);
    this.timer = undefined;
    for (const end of this.ownEnds.splice(0)) end();
    for (const remote of this.remotes.values()) remote.unfollow();
  }

  /** The metrics of all processes as those of one. What does not answer, and isn't gone, counts as it was. */
  async allMetrics(): Promise<string> {
    await Promise.all(
      this.processes.map(async ({ id }) => {
        try {
          const own = this.ownWith(id)?.ask({ route: "metrics" });
          this.metrics.update(id, await (own ?? this.answerOf(id, { route: "metrics" })));
        } catch {
          // It is gone, or busy.
        }
      }),
    );
    // One that is too busy to say hello has a socket all the same.
    const there = [...this.processes, ...findSockets()].map(({ id }) => id);
    this.metrics.retain(new Set(there));
    return this.metrics.text();
  }

  private async askAll(
    question: Extract<Question, { route: "reports" | "tree" | "search" }>,
  ): Promise<object> {
    const asked = await Promise.all(
      this.processes.map(async ({ id }) => {
        try {
          const answer = this.ownWith(id)?.ask(question) ?? this.answerOf(id, question);
          return JSON.parse(await answer) as unknown;
        } catch {
          return undefined;
        }
      }),
    );
    const answers = asked.filter((each) => each !== undefined);
    if (question.route === "reports") {
      const reports = (answers as ReportList[]).flatMap((each) => each.reports);
      return { reports: reports.sort((a, b) => b.at - a.at) } satisfies ReportList;
    }
    if (question.route === "tree") {
      return { at: now(), processes: (answers as Tree[]).flatMap((each) => each.processes) } satisfies Tree;
    }
    const found = answers as SearchAnswer[];
    return {
      q: question.q,
      found: found.flatMap((each) => each.found),
      isPartial: found.some((each) => each.isPartial),
    } satisfies SearchAnswer;
  }

  private ownWith(id: string): View | undefined {
    return this.own.find(({ processes }) => findProcess(processes, id) !== undefined);
  }

  private answerOf(id: string, question: Question): Promise<string> {
    return this.from(id, (remote) => remote.answer(question));
  }

  /** What a process answers. One that was killed has left its socket, which then goes. */
  private async from<R>(id: string, ask: (remote: RemoteProcess) => Promise<R>): Promise<R> {
    const remote = this.remotes.get(id);
    if (remote === undefined) throw new ViewError("not_found", `the process "${id}" is gone`);
    try {
      return await ask(remote);
    } catch (error) {
      if (error instanceof ViewError && error.code === "unreachable" && (await removeIfStale(remote.path, 0)))
        this.forget(id);
      throw error;
    }
  }

  private async look(): Promise<void> {
    this.looks++;
    await this.find();
    await this.sendDetails(this.watchers);
  }

  private async followAll(): Promise<void> {
    for (const view of this.own) {
      const [info] = view.processes;
      this.ownEnds.push(
        await view.watch({
          send: (event, json) => {
            if (event !== "snapshot" && info !== undefined) this.told(info.id, event, json);
          },
        }),
      );
    }
    await Promise.all([...this.remotes].map(([id, remote]) => this.follow(id, remote)));
  }

  /** Resolves when its first snapshot is there, or it has ended. */
  private follow(id: string, remote: RemoteProcess): Promise<void> {
    if (remote.isStreaming) return Promise.resolve();
    return new Promise((resolve) => {
      remote.follow(
        (event, json) => {
          if (event === "snapshot") this.told(id, "changes", JSON.stringify(asChanges(JSON.parse(json))));
          else this.told(id, event, json);
          resolve();
        },
        () => {
          resolve();
          if (this.timer !== undefined) this.forget(id);
        },
      );
    });
  }

  private forget(id: string): void {
    const remote = this.remotes.get(id);
    if (remote === undefined) return;
    this.remotes.delete(id);
    remote.unfollow();
    this.told(id, "gone", JSON.stringify({ process: id }));
  }

  private told(process: string, event: keyof ServerEvents, json: string): void {
    for (const watcher of this.watchers) {
      if (watcher.process === undefined || watcher.process === process) watcher.send(event, json);
    }
  }

  /** Each queue is asked once for all who look at it. */
  private async sendDetails(watchers: Iterable<Watcher>): Promise<void> {
    const byQueue = new Map<string, Watcher[]>();
    for (const watcher of watchers) {
      if (watcher.queue === undefined) continue;
      const key = JSON.stringify([watcher.process, watcher.queue]);
      byQueue.set(key, [...(byQueue.get(key) ?? []), watcher]);
    }
    await Promise.all(
      [...byQueue.values()].map(async (all) => {
        const { process, queue } = all[0]!;
        try {
          const json = await this.ask({ route: "queue", process, queue: queue! });
          for (const watcher of all) if (this.watchers.has(watcher)) watcher.send("queue", json);
        } catch {
          // The process, or the queue, is gone.
        }
      }),
    );
  }
}

function together(snapshots: readonly Snapshot[]): Snapshot {
  return {
    protocol: PROTOCOL,
    at: now(),
    processes: snapshots.flatMap(({ processes }) => processes),
    queues: snapshots.flatMap(({ queues }): readonly QueueRow[] => queues).sort((a, b) => b.rank - a.rank),
  };
}

/** All of a process, for those who did not know of it. */
function asChanges({ at, processes, queues }: Snapshot): Changes {
  return { at, processes, queues };
}

function now(): number {
  return Math.round(realWallNow());
}
