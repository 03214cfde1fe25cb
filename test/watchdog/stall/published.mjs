// The library as it is published, where neither tools nor source maps help. Without an argument it blocks until a stall was told of.
import { Watchdog } from "../../../dist/index.js";

const watchdog = new Watchdog({ stallThresholdMs: 100 })
  .on("stall", (stall) => console.log(`stall ${JSON.stringify(stall)}`))
  .on("error", (error) => console.log(`error ${JSON.stringify(String(error))}`));
const stalled = new Promise((resolve) => watchdog.once("stall", () => resolve(true)));
const hold = setInterval(() => {}, 1_000);
watchdog.start();

function spin() {
  const end = performance.now() + 1_000;
  while (performance.now() < end);
}

const isBlind = process.argv.includes("blind");
// The thread takes a moment to start, and sees nothing of what was before.
for (let seen = false; !seen && !isBlind; ) {
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  setTimeout(spin, 5);
  seen = await Promise.race([stalled, new Promise((resolve) => setTimeout(resolve, 3_000, false))]);
}
clearInterval(hold);
await watchdog.stop();
watchdog.start();
console.log("done null");
