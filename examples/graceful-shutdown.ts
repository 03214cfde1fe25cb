// Told to stop, a service finishes what it has accepted, within a limit, says what it could not finish, and sends its last telemetry.
// A second SIGTERM, not right after the first, would end it at once. Here the process sends itself the first one, with more work in
// the queue than there is time for.
import { setTimeout as sleep } from "node:timers/promises";
import { drainOnSignals, FifoQueue, instrument, WorkerPool } from "queuescope";
import { startTelemetry } from "queuescope/sdk";

const telemetry = await startTelemetry({ serviceName: "post-office", prometheus: { port: 0 } });
const letters = instrument(new FifoQueue<string>({ capacity: 100 }), { name: "letters" });
const office = new WorkerPool(
  letters,
  async (letter, task) => {
    task.step(letter === "parcel" ? "carry the parcel" : "carry the letter");
    // A task that heeds the signal can be stopped: it is aborted when the time to drain is over.
    await sleep(letter === "parcel" ? 60_000 : 20, undefined, { signal: task.signal });
  },
  {
    name: "post office",
    concurrency: 2,
    // Aborted is only what there is no time left for; the report names it.
    onFailed: (_letter, _error, task) => (task.signal.aborted ? "drop" : undefined),
  },
);

drainOnSignals([office], {
  signals: ["SIGTERM"],
  timeoutMs: 2_000,
  onReport: (report, pool) => {
    // The report counts since the signal, the pool since it was made.
    console.log(`done ${pool.counts.done}, left over ${report.leftOver.count}`);
    for (const { correlationId, step } of report.abandoned)
      console.log(`abandoned: ${correlationId}, "${step}"`);
  },
  // With a collector that is away it takes a few seconds, and never fails.
  onDrained: async () => {
    await telemetry.shutdown();
    console.log("telemetry is sent");
  },
});

await letters.put("parcel", { correlationId: "the parcel of Ann" });
for (let i = 1; i <= 5; i++) await letters.put(`letter ${i}`, { correlationId: `letter ${i}` });
console.log("SIGTERM");
process.kill(process.pid, "SIGTERM");
