import type * as Inspector from "node:inspector";

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
