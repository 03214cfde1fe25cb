import { realClearTimeout, realSetTimeout } from "./real-time.js";

/** What the promise settles with; rejects with `late()` if that takes longer, by the real clock. The timer holds no process. */
export async function inTime<R>(
  limitMs: number,
  promise: PromiseLike<R>,
  late = () => new Error(`it took longer than ${limitMs} ms`),
): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = realSetTimeout(() => reject(late()), limitMs);
    timer.unref();
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    realClearTimeout(timer);
  }
}
