import { channels } from "../drivers/channels.js";
import { ownHandoff } from "../drivers/own-handoff.js";
import { taskQueues } from "../drivers/task-queues.js";
import { GOALS } from "../goals.js";
import { AGAIN, duels, measure } from "../harness.js";
import type { Scenario } from "../scenario.js";

const PEERS = [
  "effect",
  "Readable",
  "fastq callback",
  "fastq.promise",
  "async.queue",
  "p-limit",
  "p-queue",
] as const;
const ITEMS = 10_000;
/** What an unbounded queue swallows before its consumer begins. */
const BACKLOG = 50_000;

function scenario(name: string, capacity: number): Scenario {
  return {
    name,
    async run(pace) {
      const items = capacity === Number.POSITIVE_INFINITY ? BACKLOG : ITEMS;
      const contestants = [
        ...ownHandoff(capacity, items),
        ...channels(capacity, items),
        ...taskQueues(capacity, items).filter((each) => PEERS.some((peer) => peer === each.name)),
      ];
      const samples = await measure({ items, contestants, twice: "try path" }, pace);
      const goals = capacity === 16 ? GOALS.handoff : {};
      return {
        rows: [
          ...duels(`try path, ${name}`, samples, "try path", [AGAIN, ...PEERS], goals),
          ...duels(`promise path, ${name}`, samples, "promise path", ["floor"], GOALS.handoff),
          ...duels(`promise path, ${name}`, samples, "promise path", ["effect", "fastq.promise"]),
        ],
      };
    },
  };
}

/** From a producer to a consumer, both async: CPU time per item, waiting for room and for items included. */
export const handoff: readonly Scenario[] = [
  scenario("capacity 16", 16),
  scenario("capacity 1024", 1024),
  scenario("unbounded", Number.POSITIVE_INFINITY),
];
