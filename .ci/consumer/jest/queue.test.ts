import { FifoQueue, instrument, Watchdog, WorkerPool } from "queuescope";
import { startTelemetry } from "queuescope/sdk";
import { inThreads } from "queuescope/threads";

test("a queue, its pool and a watchdog work", async () => {
  const letters = instrument(new FifoQueue<string>(), { name: "letters" });
  const handled: string[] = [];
  const pool = new WorkerPool(letters, (letter) => void handled.push(letter));
  const watchdog = new Watchdog().watch(letters).start();
  await letters.put("a letter");
  await pool.drain();
  await watchdog.stop();
  expect(handled).toEqual(["a letter"]);
});

test("what is not installed is named", async () => {
  await expect(startTelemetry({ serviceName: "jest" })).rejects.toThrow(/npm install/);
  expect(() => inThreads(__filename)).toThrow(/npm install piscina@5/);
});
