import type * as Inspector from "node:inspector";
import type { ProfileFrame } from "../stack-snapshot.js";

/** Asks main, whatever it is doing. */
export interface Inquiry {
  /** Evaluates an expression there. It is answered when main next enters a function or repeats a loop; native code does neither. */
  ask(expression: string): Promise<unknown>;
  /** Lets go of main: else it would say at its end that it waits for a debugger. */
  close(): void;
}

/**
 * Connects for each question, and not for longer.
 *
 * Runs in the thread: its source is sent there, so it refers to nothing outside.
 */
export function makeInquiry(inspector: typeof Inspector): Inquiry {
  const open = new Set<Inspector.Session>();
  return {
    ask(expression) {
      return new Promise((resolve, reject) => {
        const session = new inspector.Session();
        session.connectToMainThread();
        open.add(session);
        const params = { expression, returnByValue: true, silent: true };
        session.post(
          "Runtime.evaluate",
          params,
          (error: Error | null, answer: Inspector.Runtime.EvaluateReturnType) => {
            if (open.delete(session)) session.disconnect();
            if (error !== null) reject(error);
            else if (answer.exceptionDetails !== undefined) reject(new Error(answer.exceptionDetails.text));
            else resolve(answer.result.value);
          },
        );
      });
    },
    close() {
      for (const session of open) session.disconnect();
      open.clear();
    },
  };
}

/** V8's sampling profiler in main: the only one that sees who called native code while that runs. */
export interface Sampler {
  readonly isOn: boolean;
  start(): Promise<void>;
  /**
   * What was sampled since the last call, and what the calls before gave: main answers when it can, and a stall may begin in one profile
   * and end in the next. V8 hands a sample on when it takes the next one, so that is waited for.
   */
  take(): Promise<readonly Inspector.Profiler.Profile[]>;
  stop(): void;
}

/**
 * Starting a profiler costs a walk through the heap, so it is done once. From then on each profile begins before the last one ends,
 * which costs next to nothing and which only the console's commands can do. Every session that profiles is told of those, so where
 * Node itself has one (`NODE_V8_COVERAGE`, `--cpu-prof`), which prints what it did not ask for, each profile is ended and the next one begun.
 *
 * Runs in the thread: its source is sent there, so it refers to nothing outside.
 */
export function makeSampler(inspector: typeof Inspector, everyMs: number, isAlone: boolean): Sampler {
  // A process that ends waits for little longer.
  const maxWaitMs = 250;
  let session: Inspector.Session | undefined;
  let isSampling = false;
  let count = 0;
  let recent: readonly Inspector.Profiler.Profile[] = [];
  const post = (method: string, params?: object) =>
    new Promise<void>((resolve, reject) => {
      if (session === undefined) return resolve();
      session.post(method, params, (error) => (error === null ? resolve() : reject(error)));
    });
  const run = (expression: string) =>
    post("Runtime.evaluate", { expression, includeCommandLineAPI: true, silent: true });
  const begin = () => (isAlone ? run(`profile(${title(count)})`) : post("Profiler.start"));
  const turn = () =>
    new Promise<void>((resolve, reject) => {
      if (session === undefined) return resolve();
      const own = session;
      own.post("Profiler.stop", (error, { profile }) => {
        if (error !== null) return reject(error);
        recent = [...recent.slice(-2), profile];
        own.post("Profiler.start", (error) => (error === null ? resolve() : reject(error)));
      });
    });
  const title = (index: number) => JSON.stringify(`queuescope-${index}`);
  return {
    get isOn() {
      return session !== undefined;
    },
    async start() {
      session = new inspector.Session();
      session.connectToMainThread();
      await post("Profiler.enable");
      await post("Profiler.setSamplingInterval", { interval: everyMs * 1000 });
      await begin();
      isSampling = session !== undefined;
    },
    async take() {
      await new Promise((resolve) => setTimeout(resolve, Math.min(1.1 * everyMs, maxWaitMs)));
      const own = session;
      if (own === undefined || !isSampling) return [];
      if (!isAlone) {
        await turn();
        return recent;
      }
      const last = title(count++);
      const hear = ({ params }: { params: Inspector.Profiler.ConsoleProfileFinishedEventDataType }) => {
        if (JSON.stringify(params.title) === last) recent = [...recent.slice(-2), params.profile];
      };
      own.on("Profiler.consoleProfileFinished", hear);
      await run(`profile(${title(count)}), profileEnd(${last})`);
      own.off("Profiler.consoleProfileFinished", hear);
      return recent;
    },
    stop() {
      session?.disconnect();
      session = undefined;
      isSampling = false;
    },
  };
}

/** What held main for longest. */
export interface Heaviest {
  readonly samples: number;
  /** Innermost first. */
  readonly stack: readonly ProfileFrame[];
  readonly isGarbageCollection: boolean;
}

/**
 * Of the samples between two instants (milliseconds of the clock that all threads share): the innermost function of the user's in
 * which most were taken, and where in there most were. Undefined if they are too few to tell. What is in the spans `except` does
 * not count.
 *
 * Runs in the thread: its source is sent there, so it refers to nothing outside.
 */
export function heaviest(
  profile: Inspector.Profiler.Profile,
  from: number,
  to: number,
  except: readonly (readonly [number, number])[],
): Heaviest | undefined {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  const mostOf = (counts: ReadonlyMap<number, number>) => {
    let most: number | undefined;
    for (const [id, count] of counts) if (count > (counts.get(most ?? -1) ?? 0)) most = id;
    return most;
  };
  const pathOf = (leaf: number) => {
    const path: Inspector.Profiler.ProfileNode[] = [];
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const node = nodes.get(id);
      if (node !== undefined && node.callFrame.functionName !== "(root)") path.push(node);
    }
    return path;
  };
  const leaves = new Map<number, number>();
  const { samples = [], timeDeltas = [] } = profile;
  let at = profile.startTime;
  let all = 0;
  let collecting = 0;
  for (let index = 0; index < samples.length; index++) {
    at += timeDeltas[index] ?? 0;
    const id = samples[index]!;
    const name = nodes.get(id)?.callFrame.functionName;
    const ms = at / 1000;
    if (ms < from || ms > to || name === "(idle)") continue;
    if (except.some(([begin, end]) => ms >= begin && ms <= end)) continue;
    all++;
    if (name === "(garbage collector)") collecting++;
    else if (name !== "(program)") leaves.set(id, (leaves.get(id) ?? 0) + 1);
  }
  if (all === 0) return undefined;
  const owners = new Map<number, number>();
  const ownerOf = (leaf: number) =>
    pathOf(leaf).find(({ callFrame: { url } }) => url !== "" && !url.startsWith("node:"))?.id ?? -1;
  for (const [leaf, count] of leaves) {
    const owner = ownerOf(leaf);
    if (owner !== -1) owners.set(owner, (owners.get(owner) ?? 0) + count);
  }
  const owner = mostOf(owners);
  const leaf = mostOf(
    owner === undefined ? leaves : new Map([...leaves].filter(([id]) => ownerOf(id) === owner)),
  );
  const stack = (leaf === undefined ? [] : pathOf(leaf)).map(({ callFrame, positionTicks = [] }) => {
    const line = positionTicks.reduce((most, each) => (each.ticks > most.ticks ? each : most), {
      line: 0,
      ticks: 0,
    }).line;
    const begin = callFrame.lineNumber + 1;
    return {
      functionName: callFrame.functionName,
      url: callFrame.url,
      line: line || begin,
      // The profiler knows no columns but those where functions begin. Code that is one long line would be lost without.
      column: line === 0 || line === begin ? callFrame.columnNumber + 1 : 1,
    };
  });
  return { samples: all, stack, isGarbageCollection: collecting * 2 > all };
}
