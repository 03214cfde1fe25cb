// The library as it is published, where neither tools nor source maps help.
import { StallWatcher } from "../../../dist/watchdog/stall/watcher.js";

const watcher = new StallWatcher({ thresholdMs: 100 })
  .onStall((stall) => console.log(`stall ${JSON.stringify(stall)}`))
  .onError((error) => console.log(`error ${JSON.stringify(String(error))}`));
const ready = new Promise((resolve) => watcher.onReady(resolve));
const limited = new Promise((resolve) => watcher.onLimited(resolve));
const stalled = new Promise((resolve) => watcher.onStall(resolve));
const hold = setInterval(() => {}, 1_000);
watcher.start();
const isWatching = await Promise.race([
  ready.then(() => true),
  limited.then((reason) => !/threads/.test(reason)),
]);

function spin() {
  const end = performance.now() + 1_000;
  while (performance.now() < end);
}

setTimeout(spin, 5);
if (isWatching) await stalled;
clearInterval(hold);
await watcher.stop();
watcher.start();
console.log("done null");
