/**
 * The protocol of the live view, version 1: HTTP with JSON, and server-sent events for what changes. It is the same over the unix socket of a process
 * (`curl --unix-socket FILE http://localhost/api/v1/snapshot`) and over the port of `serveInspector`, where the view may have several processes.
 *
 * Whoever reads must ignore members that it doesn't know: some may be added without a new version. Members that are absent are unknown, or don't
 * apply; they are never 0 for that. Instants are epoch milliseconds and end in `At`, durations are milliseconds and end in `Ms`, rates are per
 * second. All texts come from users of the queues and are hostile: names, tiers, steps, labels, errors, IDs, payloads. They went through the
 * redactor, where there is one; to be shown they still have to be escaped.
 *
 * | route, below where the view is mounted | answer |
 * |---|---|
 * | `GET api/v1/hello` | {@link Hello} |
 * | `GET api/v1/snapshot` | {@link Snapshot} |
 * | `GET api/v1/events?queue=NAME` | a stream of {@link ServerEvents}; `queue` also asks for its {@link QueueDetail}, once a second |
 * | `GET api/v1/queue?queue=NAME` | {@link QueueDetail} |
 * | `GET api/v1/history?queue=NAME` | {@link History} |
 * | `GET api/v1/reports` | {@link ReportList} |
 * | `GET api/v1/report?id=ID` | {@link ReportAnswer}: one of that list |
 * | `GET api/v1/report?queue=NAME` | {@link ReportAnswer}: as it is now; without `queue`, on each queue of the process: {@link ReportsNow} |
 * | `GET api/v1/tree?queue=NAME` | {@link Tree}: of all queues without `queue` |
 * | `GET api/v1/search?q=ID` | {@link SearchAnswer} |
 * | `POST api/v1/action` | takes an {@link ActionRequest} as JSON with `authorization: Bearer TOKEN`; {@link ActionAnswer} |
 * | `GET metrics` | what this process has for Prometheus, as text; with several processes: of all together |
 *
 * Each of them takes `process=ID`. Where the view has one process it may be left out; where it has several, `snapshot`, `events`, `reports`, `tree`, `search`
 * and `metrics` without it mean all of them, and the others are answered with `process_required`. `report` takes `format=text`, too: then the answer is text
 * for a terminal. An error is an {@link ErrorAnswer} with a status from 400 on.
 */
export const PROTOCOL = 1;

/** Where routes begin. */
export const API = "api/v1";

/** Answer of `hello`. */
export interface Hello {
  readonly protocol: typeof PROTOCOL;
  /** Of the package. */
  readonly version: string;
  readonly nowAt: number;
  /** How often changes come. */
  readonly everyMs: number;
  /** How far back histories go. */
  readonly historyMs: number;
  /** What may be asked of `action`; empty where that is not allowed. */
  readonly actions: readonly ActionName[];
  /** Where a trace is to be seen: a URL with `{traceId}` in it. */
  readonly traceUrl?: string | undefined;
  readonly processes: readonly ProcessInfo[];
}

/** A process that can be looked into. */
export interface ProcessInfo {
  /** Of this process and no other, also when its pid is used again: `PID-START`. */
  readonly id: string;
  readonly pid: number;
  /** What `inspect({ name })` or `startTelemetry({ serviceName })` says, else the name of its package or script. */
  readonly name: string;
  readonly host: string;
  readonly startedAt: number;
  /** Version of Node. */
  readonly node: string;
  /** Version of queuescope. */
  readonly version: string;
  /** The thread of the process, where it isn't the main one. */
  readonly threadId?: number | undefined;
}

/** A process, as it is now. */
export interface ProcessRow extends ProcessInfo {
  /** Share of the time that the event loop was busy in the last second, from 0 to 1. */
  readonly loopUtilization: number;
  /** Processor time per second of time, in the last second; more than 1 where there are threads. */
  readonly cpu: number;
  /** Of V8's heap, used and allowed; of the process, in memory. */
  readonly heapBytes: number;
  readonly heapLimitBytes: number;
  readonly rssBytes: number;
  /** The last stall of the event loop that a watchdog has seen. */
  readonly lastStall?: StallRow | undefined;
  /** Whether a watchdog of the application's runs: reports come by themselves only then. */
  readonly hasWatchdog: boolean;
}

export interface StallRow {
  readonly startedAt: number;
  readonly durationMs: number;
  /** Function and place that blocked it, in words. */
  readonly where?: string | undefined;
  readonly correlationId?: string | undefined;
}

/** Everything that the overview shows. */
export interface Snapshot {
  readonly protocol: typeof PROTOCOL;
  readonly at: number;
  readonly processes: readonly ProcessRow[];
  /** Worst first: by {@link QueueRow.rank}. A queue is told from others by `process` and `name`. */
  readonly queues: readonly QueueRow[];
}

/**
 * `breach`: an item has waited longer than its SLA allows. `warning`: something is about to be wrong, or is without being late yet; `reasons` say
 * what. `idle`: nothing waits and nothing is in flight.
 */
export type HealthName = "breach" | "warning" | "ok" | "idle";

/** A queue, as it is now. Of several of one name in one process the figures are together. */
export interface QueueRow {
  /** {@link ProcessInfo.id}. */
  readonly process: string;
  readonly name: string;
  /** `broker`: depth, ages and `consumers` are those of all processes, as the broker tells; the same queue may be in the rows of several processes. */
  readonly scope: "process" | "broker";
  readonly health: HealthName;
  /** Higher is worse, from 0 on. For sorting only. */
  readonly rank: number;
  /** Why it is a `breach` or a `warning`, in words with numbers; empty otherwise. */
  readonly reasons: readonly string[];
  /** The verdict of the breach that lasts. */
  readonly why?: Why | undefined;
  /** Items that wait. */
  readonly depth?: number | undefined;
  /** Items that wait for a planned delay to pass. */
  readonly delayed?: number | undefined;
  /** Absent where there is no bound. */
  readonly capacity?: number | undefined;
  /** How long the oldest item has waited; 0 where none waits. */
  readonly oldestMs?: number | undefined;
  /** `oldestMs` as a share of the SLA, of the tier where that is worst: 1 is the limit. Absent where there is no SLA. */
  readonly slaUsed?: number | undefined;
  /** Of the waits of items that were taken in the last minute or so; absent where none was. */
  readonly waitP50Ms?: number | undefined;
  readonly waitP99Ms?: number | undefined;
  /** Over the last few seconds: what came in, was taken, and was settled for good. */
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  readonly endedPerSecond: number;
  /** Attempts that failed, for good or to be retried. */
  readonly failedPerSecond: number;
  readonly droppedPerSecond: number;
  /** Taken and not settled; and how long ago the oldest of them was taken. */
  readonly inFlight?: number | undefined;
  readonly inFlightOldestMs?: number | undefined;
  /** Callers blocked in put and in get. */
  readonly waitingPuts?: number | undefined;
  readonly waitingGets?: number | undefined;
  /** Absent where no pool is known. */
  readonly workers?: WorkerCounts | undefined;
  /** Consumers that a broker knows of. */
  readonly consumers?: number | undefined;
  /** Whether a pool, or the queue itself, gives out nothing for now, in words; absent while it does. */
  readonly paused?: string | undefined;
  /** Breakers that are open, by the names of their gates; absent where none is. */
  readonly openBreakers?: readonly string[] | undefined;
  readonly totals: Totals;
  readonly tiers: readonly TierRow[];
  /** Depth over the last minute, evenly spaced, the oldest first: at most 60. Only in snapshots: changes don't repeat it. */
  readonly spark?: readonly (number | null)[] | undefined;
}

/** A cause that was found. */
export interface Why {
  /** Name of the verdict, see docs/diagnosis.md; `unknown` where none was found. */
  readonly verdict: string;
  /** From 0 to 1. */
  readonly confidence?: number | undefined;
  /** With numbers in it. */
  readonly sentence: string;
  readonly tier: string;
  readonly at: number;
  /** For `report?id=`. */
  readonly reportId?: string | undefined;
}

export interface WorkerCounts {
  readonly idle: number;
  readonly processing: number;
  readonly backoff: number;
  readonly stalled: number;
  readonly stopped: number;
}

/** What was counted since the queue was instrumented: the same figures as on `/metrics`. */
export interface Totals {
  readonly enqueued: number;
  readonly dequeued: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly retried: number;
  readonly deadLettered: number;
  readonly dropped: number;
  readonly slaMet: number;
  readonly slaMissed: number;
}

export interface TierRow {
  readonly name: string;
  readonly depth: number;
  readonly oldestMs: number;
  readonly slaMs?: number | undefined;
  /** Share of the items that should meet it. */
  readonly objective?: number | undefined;
  readonly slaUsed?: number | undefined;
  readonly waitP50Ms?: number | undefined;
  readonly waitP99Ms?: number | undefined;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
}

/**
 * The stream of `events`: each is `event: NAME` and `data: JSON`. The first one is a `snapshot`; after a lost connection the next stream begins with
 * one again. A client that doesn't read is disconnected.
 */
export interface ServerEvents {
  readonly snapshot: Snapshot;
  /** Once a second. */
  readonly changes: Changes;
  /** Of the queue that was asked for, once a second. */
  readonly queue: QueueDetail;
  readonly breach: ReportHead;
  readonly cleared: ClearedRow;
  readonly stall: StallRow & { readonly process: string };
  /** An action was taken. */
  readonly action: ActionRecord;
  /** The process is gone. Its queues stay as they were, until the client takes them away. */
  readonly gone: { readonly process: string };
  /** The stream ends: the server is about to close it, and says why. */
  readonly bye: { readonly reason: string };
}

/** What is different from the message before. */
export interface Changes {
  readonly at: number;
  readonly processes: readonly Changed<ProcessRow, "id">[];
  readonly queues: readonly Changed<QueueRow, "process" | "name">[];
  /** Queues that are no longer there. */
  readonly gone?: readonly { readonly process: string; readonly name: string }[] | undefined;
}

/** Keys, and the members that have changed, each as a whole; `null` where it is unknown now. All of them where the row is new. */
export type Changed<Row, Key extends keyof Row> = Pick<Row, Key> & {
  readonly [K in Exclude<keyof Row, Key>]?: Row[K] | null;
};

/** One queue, with all that is known of it. */
export interface QueueDetail {
  readonly at: number;
  readonly row: QueueRow;
  /** What is served next, at most 10. */
  readonly head: readonly HeadRow[];
  /** What is in flight, the oldest first, at most 200; `inFlight` of the row says how many there are. */
  readonly tasks: readonly TaskRow[];
  readonly pools: readonly PoolRow[];
  readonly gates: readonly GateRow[];
  /** Recent failures by kind, the most frequent first. */
  readonly failures: readonly FailureKind[];
}

/** An item that waits. */
export interface HeadRow {
  readonly waitMs?: number | undefined;
  readonly tier: string;
  readonly attempt: number;
  readonly correlationId?: string | undefined;
  readonly traceId?: string | undefined;
  /** Only with the option `payload`. */
  readonly payload?: unknown;
}

/** A task in flight. */
export interface TaskRow {
  readonly correlationId: string;
  readonly traceId?: string | undefined;
  readonly tier: string;
  readonly attempt: number;
  readonly runningMs?: number | undefined;
  readonly step?: string | undefined;
  /** Name of its pool and number of its worker. */
  readonly worker?: string | undefined;
  /** What it waits for, the newest last. Empty where that is not known, as without a watchdog for what began before one looked. */
  readonly waits: readonly WaitRow[];
  /** The async functions that it is in, outermost first, each with the line at which it waits; where that is recorded. */
  readonly frames?: readonly FrameRow[] | undefined;
  /** Where its item was put, innermost first, where that is recorded. */
  readonly putAt?: readonly string[] | undefined;
  /** True: nothing can ever resume it. */
  readonly neverResumes?: boolean | undefined;
}

export interface WaitRow {
  /** `http`, `socket`, `process`, `span`, `label`, `step` or `gate`. */
  readonly kind: string;
  readonly label: string;
  /** How far it has come. */
  readonly state?: string | undefined;
  readonly forMs: number;
  /** Where in the code it began, innermost first: `function (file:line:column)`. */
  readonly at?: readonly string[] | undefined;
}

export interface FrameRow {
  readonly fn: string;
  readonly file: string;
  readonly line: number;
  readonly column?: number | undefined;
  /** What it awaits in parallel, as `Promise.all` does. */
  readonly children?: readonly FrameRow[] | undefined;
}

export interface PoolRow {
  readonly name: string;
  /** Absent where it takes items, with no end in sight. */
  readonly notTaking?: string | undefined;
  readonly counts: WorkerCounts;
  /** At most 200. */
  readonly workers: readonly WorkerRow[];
}

export interface WorkerRow {
  readonly id: number;
  readonly state: keyof WorkerCounts;
  readonly correlationId?: string | undefined;
  readonly step?: string | undefined;
  readonly gate?: string | undefined;
  /** For how long its task has run, or how long ago the last one ended. */
  readonly forMs?: number | undefined;
}

export interface GateRow {
  readonly name: string;
  /** Absent where only a policy decides. */
  readonly limit?: number | undefined;
  readonly inFlight: number;
  readonly waiting: number;
  /** Absent where it has no breaker. */
  readonly isOpen?: boolean | undefined;
}

export interface FailureKind {
  /** The error's code, else its class: as `error.type` has it, but on one line. */
  readonly kind: string;
  readonly count: number;
  readonly lastAt: number;
  /** Of the last one. */
  readonly message: string;
}

/**
 * A queue's last ten minutes, in columns of the same length, the oldest first: the value at `i` is of the time that ended at
 * `lastAt - (length - 1 - i) * stepMs`. `null`: not known.
 *
 * For a cumulative flow: arrivals are the sum of `arrived`, departures are arrivals minus `depth`.
 */
export interface History {
  readonly process: string;
  readonly queue: string;
  readonly lastAt: number;
  /** 1 000 while there are few queues; else more, as all of them have a megabyte. */
  readonly stepMs: number;
  readonly depth: Column;
  readonly inFlight: Column;
  readonly oldestMs: Column;
  readonly slaUsed: Column;
  readonly busyWorkers: Column;
  /** Counts within the step. */
  readonly arrived: Column;
  readonly taken: Column;
  readonly ended: Column;
  readonly failed: Column;
  readonly dropped: Column;
  readonly waits: WaitHeatmap;
}

export type Column = readonly (number | null)[];

/** How long items had waited that were taken, by tier. */
export interface WaitHeatmap {
  readonly lastAt: number;
  readonly stepMs: number;
  /** Upper bounds of the buckets; there is one bucket more, for what is beyond. */
  readonly boundsMs: readonly number[];
  readonly tiers: readonly {
    readonly name: string;
    readonly slaMs?: number | undefined;
    /** For each step, the oldest first, a count for each bucket. */
    readonly counts: readonly (readonly number[])[];
  }[];
}

/** A report that was made, in short. */
export interface ReportHead {
  readonly id: string;
  readonly process: string;
  readonly queue: string;
  readonly tier: string;
  readonly at: number;
  readonly waitMs: number;
  readonly targetMs?: number | undefined;
  readonly depth: number;
  readonly verdict: string;
  readonly confidence?: number | undefined;
  readonly sentence: string;
  /** What the report before named first, where this one has another cause. */
  readonly corrects?: string | undefined;
  /** When the breach was over; absent while it lasts. */
  readonly clearedAt?: number | undefined;
}

/** The last reports of breaches, the newest first: at most 20 of a process, and 2 MB. */
export interface ReportList {
  readonly reports: readonly ReportHead[];
}

export interface ReportAnswer extends ReportHead {
  /** A `BreachReport` as JSON: docs/diagnosis.md. */
  readonly report: object;
  /** The same for a terminal. */
  readonly text: string;
  /** What the queue did differently from the time before, in words. */
  readonly different: readonly string[];
}

export interface ReportsNow {
  readonly process: string;
  readonly reports: readonly ReportAnswer[];
}

export interface ClearedRow {
  readonly process: string;
  readonly queue: string;
  readonly tier: string;
  readonly at: number;
  readonly lastedMs: number;
  readonly verdict: string;
  readonly missed?: number | undefined;
  readonly changed: readonly string[];
}

/** What is in flight, by process and queue. */
export interface Tree {
  readonly at: number;
  readonly processes: readonly {
    readonly process: ProcessInfo;
    readonly queues: readonly {
      readonly name: string;
      readonly inFlight?: number | undefined;
      readonly tasks: readonly TaskRow[];
    }[];
  }[];
}

/** Where items with this correlation or trace ID are, and what is known of them. */
export interface SearchAnswer {
  readonly q: string;
  readonly found: readonly Found[];
  /** Whether some queue had more items waiting than were looked at (1 000 of each, those that are served first). */
  readonly isPartial: boolean;
}

export type Found = { readonly process: string; readonly queue: string } & (
  | { readonly where: "waiting"; readonly position: number; readonly item: HeadRow }
  | { readonly where: "in flight"; readonly task: TaskRow }
  | { readonly where: "report"; readonly report: ReportHead }
);

/** How often changes come, in milliseconds, and how far back histories go, in seconds. */
export const EVERY_MS = 1_000;
export const HISTORY_SECONDS = 600;

/** `report` writes one to the watchdog's `reportDir`, too. */
export type ActionName = "pause" | "resume" | "resize" | "drain" | "report";

/** What may be done, in the order in which it is offered. */
export const ACTIONS: readonly ActionName[] = ["pause", "resume", "resize", "drain", "report"];

export interface ActionRequest {
  readonly action: ActionName;
  readonly process?: string | undefined;
  readonly queue: string;
  /** Default: all pools of the queue. */
  readonly pool?: string | undefined;
  /** Of `resize`: a whole number from 1. */
  readonly concurrency?: number | undefined;
}

export interface ActionAnswer {
  readonly done: ActionRecord;
}

/** An action that was taken, or refused by what it was asked of. */
export interface ActionRecord {
  readonly at: number;
  readonly process: string;
  readonly action: ActionName;
  readonly queue: string;
  readonly pool?: string | undefined;
  readonly concurrency?: number | undefined;
  /** By whom, as `auth` says; else the address. */
  readonly by: string;
  /** What has become of it, in words. */
  readonly outcome: string;
}

/** Names of what can go wrong, with the status of the answer. */
export const ERROR_STATUS = {
  /** What was asked for can't be understood. */
  bad_request: 400,
  /** No token, or not the right one. */
  unauthorized: 401,
  /** A host or origin that is not allowed, or actions that aren't. */
  forbidden: 403,
  /** No such route, process, queue or report. */
  not_found: 404,
  method_not_allowed: 405,
  /** It can't be done with this queue or pool. */
  conflict: 409,
  too_large: 413,
  /** Several processes are there: say which one. */
  process_required: 422,
  /** As many clients as there may be. */
  too_many_clients: 429,
  /** Something of ours has failed. */
  internal: 500,
  /** The process does not answer. */
  unreachable: 502,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface ErrorAnswer {
  readonly error: {
    readonly code: ErrorCode;
    /** What is wrong, and what to do. */
    readonly message: string;
  };
}
