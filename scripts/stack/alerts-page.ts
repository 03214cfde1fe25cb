import type { Place } from "./place.js";

/** Where alerts are, the best place first: Debian's Prometheus comes without the usual pages, with older ones, or with none. */
const PAGES = ["/alerts", "/classic/alerts"];

/** What every Prometheus answers, as JSON. */
const API = "/api/v1/alerts";

/** The URL at which this Prometheus shows its alerts. */
export async function alertsPage(place: Place): Promise<string> {
  for (const page of PAGES) {
    const url = place.url("prometheus", page);
    if (await answers(url)) return url;
  }
  return place.url("prometheus", API);
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
