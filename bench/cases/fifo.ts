import { fifos, type Wave } from "../drivers/fifos.js";
import { GOALS } from "../goals.js";
import { AGAIN, duels, measure } from "../harness.js";
import type { Scenario } from "../scenario.js";

const PEERS = ["denque", "fast-fifo", "yocto-queue"];
const goals = Object.fromEntries(PEERS.map((peer) => [peer, GOALS.fifo]));

function scenario(name: string, wave: Wave): Scenario {
  return {
    name,
    async run(pace) {
      const course = { items: wave.burst, contestants: fifos(wave), twice: "Deque" };
      const samples = await measure(course, pace);
      return {
        rows: [
          ...duels(`${name}, storage`, samples, "Deque", [AGAIN, ...PEERS], goals),
          ...duels(`${name}, FifoQueue by tryPut and tryGet`, samples, "FifoQueue", PEERS),
        ],
      };
    },
  };
}

/** First in, first out: the storage of our queues, and the whole of one, against bare storage. */
export const fifo: readonly Scenario[] = [
  scenario("steady, 1k", { standing: 1_000, burst: 100 }),
  scenario("fill, 1k", { standing: 0, burst: 1_000 }),
  scenario("fill, 1M", { standing: 0, burst: 1_000_000 }),
];
