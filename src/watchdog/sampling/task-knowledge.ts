import { realNow } from "../../base/real-time.js";
import { holdersOf } from "../../waits/resources.js";
import type { Holder } from "../../waits/wait.js";
import type { Waits } from "../../waits/waits.js";
import type { WaitNow } from "../situation.js";
import type { TaskKnowledge } from "./tasks.js";

/** What is known of tasks by what they were seen to wait for; instants are told as how long ago they were. */
export function knowledgeOf(waits: Waits): TaskKnowledge {
  return {
    waitsOf(task) {
      const now = realNow();
      return waits.of(task).map(({ since, holders, ...wait }) => ({
        ...wait,
        forMs: now - since,
        holders: aged(holders, now),
      }));
    },
    holdersOf: (gate) => aged(holdersOf(gate), realNow()),
    putAt: (task) => waits.putAt(task),
    neverResumes: (task) => waits.neverResumes(task),
  };
}

function aged(holders: readonly Holder[] | undefined, now: number): WaitNow["holders"] {
  return holders?.map(({ correlationId, since }) => ({ correlationId, forMs: now - since }));
}
