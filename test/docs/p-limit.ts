import pLimit from "p-limit";
import { generic, instrument, instrumentHandler } from "../../src/index.js";

/** A limit of p-limit's that is instrumented: `limiter.run(job)` takes the place of `limit(job)`. */
export function limiterOf(name: string, concurrency: number) {
  const limit = pLimit(concurrency);
  const call = instrumentHandler((job: () => unknown) => job(), { name });
  const limiter = {
    run: <R>(job: () => R | PromiseLike<R>) => limit(call, job) as Promise<R>,
    get waiting() {
      return limit.pendingCount;
    },
    clear: () => limit.clearQueue(),
  };
  return instrument(limiter, { name, adapter: generic({ put: "run", size: "waiting" }) });
}
