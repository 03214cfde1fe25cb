import type { Check } from "../situation.js";
import { areFewFailing, isEverythingFailing } from "./failing.js";
import { servedPerSecond } from "./under-capacity.js";
import { areStuck, count, duration, isNobodyIdle, perSecond } from "./words.js";

export const producersBlocked: Check = {
  name: "producers-blocked",
  look(situation) {
    const { waitingPuts, depth, capacity, sla } = situation;
    if (waitingPuts === undefined || waitingPuts === 0) return undefined;
    const blocked = count(waitingPuts, "producer waits", "producers wait");
    const served = servedPerSecond(situation);
    const isUsual = !areStuck(situation) && !areFewFailing(situation) && !isEverythingFailing(situation);
    const isFull = depth >= capacity && isNobodyIdle(situation) && isUsual;
    if (!isFull || served === undefined || served === 0) {
      return {
        name: "producers-blocked",
        confidence: 0.4,
        sentence: `${blocked} for room: ${depth} of ${capacity} places are taken`,
        evidence: { waitingPuts, depth, capacity },
      };
    }
    // Backpressure holds arrivals at what is served, so whatever gets in waits for as long as a full queue takes.
    const fullMs = (capacity / served) * 1_000;
    // A queue that is asked about on demand may have no SLA.
    const fits = Number.isFinite(sla.targetMs)
      ? Math.max(1, Math.floor((served * sla.targetMs) / 1_000))
      : undefined;
    const advice =
      fits === undefined ? "" : `with a capacity of ${fits} it would wait as long as the SLA allows, and `;
    return {
      name: "producers-blocked",
      confidence: 0.82,
      sentence: `the queue is full and ${blocked} for room: at ${perSecond(served)} an item waits ${duration(fullMs)} behind ${capacity} others; ${advice}more workers would serve more`,
      evidence: { waitingPuts, depth, capacity, servedPerSecond: served, fullMs, fits },
    };
  },
};
