import { realClearTimeout, realSetTimeout } from "../../base/real-time.js";

/** What the promise settles with; rejects if that takes longer, by the real clock. The timer holds no process. */
export async function within<R>(limitMs: number, promise: PromiseLike<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = realSetTimeout(() => reject(new Error(`it took longer than ${limitMs} ms`)), limitMs);
    timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    realClearTimeout(timer);
  }
}
