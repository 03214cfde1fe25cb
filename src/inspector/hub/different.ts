import { duration, perSecond } from "../../watchdog/checks/format.js";
import type { Field } from "./ring.js";
import type { Track } from "./track.js";

/** What is compared: the last seconds, with the two minutes before the oldest item came. */
const NOW_SECONDS = 10;
const BEFORE_SECONDS = 120;
/** What has changed by less than this share is as it was. */
const SAME_SHARE = 0.3;

const RATES: readonly { readonly field: Field; readonly verb: string }[] = [
  { field: "arrived", verb: "arrive" },
  { field: "taken", verb: "are taken" },
  { field: "ended", verb: "end" },
  { field: "failed", verb: "fail" },
  { field: "dropped", verb: "are dropped" },
];

/** What a queue does differently from before its oldest item came, `waitMs` ago, in words. Empty where nothing is, or nothing is known. */
export function differenceOf(track: Track | undefined, waitMs: number): string[] {
  if (track === undefined) return [];
  const from = Math.max(NOW_SECONDS, Math.ceil(waitMs / 1_000));
  const compare = (field: Field) => ({
    before: track.mean(field, from, from + BEFORE_SECONDS),
    now: track.mean(field, 0, NOW_SECONDS),
  });
  const changes: string[] = [];
  for (const { field, verb } of RATES) {
    const { before, now } = compare(field);
    if (isOther(before, now)) changes.push(`${perSecond(now!)} ${verb}, it was ${perSecond(before!)}`);
  }
  const inFlight = compare("inFlight");
  if (isOther(inFlight.before, inFlight.now))
    changes.push(`${Math.round(inFlight.now!)} in flight, it was ${Math.round(inFlight.before!)}`);
  const busy = compare("busyWorkers");
  if (isOther(busy.before, busy.now))
    changes.push(`${Math.round(busy.now!)} workers busy, it was ${Math.round(busy.before!)}`);
  const service = {
    before: serviceMs(track, from, from + BEFORE_SECONDS),
    now: serviceMs(track, 0, NOW_SECONDS),
  };
  if (isOther(service.before, service.now))
    changes.push(`a task takes ${duration(service.now!)}, it was ${duration(service.before!)}`);
  return changes;
}

/** By Little's law; undefined where nothing ended. */
function serviceMs(track: Track, from: number, to: number): number | undefined {
  const inFlight = track.mean("inFlight", from, to);
  const ended = track.mean("ended", from, to);
  const failed = track.mean("failed", from, to) ?? 0;
  if (inFlight === undefined || ended === undefined || ended + failed === 0) return undefined;
  return (1_000 * inFlight) / (ended + failed);
}

function isOther(before: number | undefined, now: number | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  return Math.abs(now - before) > SAME_SHARE * Math.max(before, now) && Math.abs(now - before) > 0.1;
}
