/** Next calls this once in each runtime, before the first request. The edge runtime has no queues. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") await import("./server");
}
