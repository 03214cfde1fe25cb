import {
  FASTER_DEFAULTS,
  fasterAlertmanager,
  fasterPrometheus,
  fasterRules,
  type Json,
  shorterFors,
  TIMES_FASTER,
} from "./faster.js";

/** What is changed in the committed files, but for addresses, and how long everything takes then. */
export interface Pace {
  readonly said: string;
  prometheus(config: Json): Json;
  rules(file: Json, scrapeMs: number): Json;
  alertmanager(config: Json): Json;
  /** Of Prometheus' command line. */
  readonly args: readonly string[];
  /** Scrapes of a calm before the first fault. */
  readonly calmScrapes: number;
  /** Scrapes for which a fault goes on after its alert has come, more than one of Alertmanager's intervals, for others to come, too. */
  readonly moreScrapes: number;
  /** Longest wait for an alert to come, and for all to be over. */
  readonly patienceMs: number;
  readonly testMs: number;
  /** Do several faults happen to the same process, one after the other? */
  readonly areFaultsInTurn: boolean;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const FAST: Pace = {
  said: `Time in Prometheus and Alertmanager went by ${TIMES_FASTER} times as fast.`,
  prometheus: fasterPrometheus,
  rules: fasterRules,
  alertmanager: fasterAlertmanager,
  args: FASTER_DEFAULTS,
  // Long enough for every alert, that on the error budget too: 35 minutes of them.
  calmScrapes: 140,
  moreScrapes: 40,
  patienceMs: 4 * MINUTE,
  testMs: 9 * MINUTE,
  areFaultsInTurn: true,
};

const asItIs = (file: Json) => file;

const REAL: Pace = {
  said: `The alerts' \`for\` was ${TIMES_FASTER} times shorter; everything else took as long as ever.`,
  prometheus: asItIs,
  rules: shorterFors,
  alertmanager: asItIs,
  args: [],
  calmScrapes: 12,
  moreScrapes: 24,
  patienceMs: 20 * MINUTE,
  testMs: 60 * MINUTE,
  areFaultsInTurn: false,
};

/** `fast` unless LIVE_PACE says `real`, which takes half an hour. */
export const PACE: Pace = process.env.LIVE_PACE === "real" ? REAL : FAST;
