/**
 * Resolves in a later turn of the event loop, when everything else has had its own. A message, because timers and immediates are what tests
 * replace; one that never comes would stop more than one test. Until then it holds the process: somebody awaits this.
 */
export function nextTurn(): Promise<void> {
  const { MessageChannel } = process.getBuiltinModule("node:worker_threads");
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.once("message", () => {
      port1.close();
      resolve();
    });
    port2.postMessage(undefined);
  });
}
