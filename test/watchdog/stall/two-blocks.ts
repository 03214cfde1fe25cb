// Twice the event loop is blocked until the thread has noticed that an item is late, which is then served at once. Another queue has the same name.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { FifoQueue, instrument, Watchdog } from "../../../src/index.js";
import { watching } from "./watching.js";

const folder = process.argv[2]!;
const GIVE_UP_MS = 30_000;

/** How many late heads the thread has noticed. */
function noticed(): number {
  try {
    return readFileSync(`${folder}/stalls.jsonl`, "utf8").split('"kind":"breach"').length - 1;
  } catch {
    return 0;
  }
}

const idle = instrument(new FifoQueue<string>(), { name: "twins", sla: { default: { targetMs: 250 } } });
const late = instrument(new FifoQueue<string>(), { name: "twins", sla: { default: { targetMs: 300 } } });
const dog = new Watchdog({ everyMs: 50, minReportIntervalMs: 0, stallThresholdMs: 200, reportDir: folder })
  .watch(idle)
  .watch(late)
  .on("breach", ({ targetMs, verdicts }) => {
    console.log(`told ${JSON.stringify({ what: "breach", targetMs, verdict: verdicts[0]?.name })}`);
  })
  .on("cleared", ({ lastedMs }) => {
    console.log(`told ${JSON.stringify({ what: "cleared", lasted: lastedMs > 0 })}`);
  })
  .start();
const hold = setInterval(() => {}, 1_000);
await watching(dog);
for (let block = 1; block <= 2; block++) {
  const cleared = once(dog, "cleared", { signal: AbortSignal.timeout(GIVE_UP_MS) });
  await late.put("served as soon as the event loop turns");
  for (const end = performance.now() + GIVE_UP_MS; noticed() < block && performance.now() < end; );
  late.tryGet();
  await cleared;
}
clearInterval(hold);
await dog.stop();
