import type { Check } from "../situation.js";
import { count } from "./words.js";

export const producersBlocked: Check = {
  name: "producers-blocked",
  look({ waitingPuts, depth, capacity }) {
    if (waitingPuts === undefined || waitingPuts === 0) return undefined;
    return {
      name: "producers-blocked",
      confidence: 0.4,
      sentence: `${count(waitingPuts, "producer waits", "producers wait")} for room: ${depth} of ${capacity} places are taken`,
      evidence: { waitingPuts, depth, capacity },
    };
  },
};
