/**
 * Customers of the demo: they order over HTTP, at an even pace that the demo manages with ease, whatever becomes of their orders.
 * The demo's own load has its bad moments, so that there is something to see; here the bad moments are yours to make.
 *
 * Usage: tsx scripts/stack/customers.ts http://127.0.0.1:8080/order
 */
import { setTimeout as sleep } from "node:timers/promises";

/** Of fifty that can be shipped. */
const PER_SECOND = 20;
const VIP_SHARE = 0.2;
const TICK_MS = 50;

const url = process.argv[2] ?? "http://127.0.0.1:8080/order";

async function order(): Promise<void> {
  const body = JSON.stringify({ power_user: Math.random() < VIP_SHARE });
  // The demo may be gone for a while: that is a fault like others.
  const answer = await fetch(url, { method: "POST", body }).catch(() => undefined);
  await answer?.body?.cancel();
}

for (let came = 0, startedAt = performance.now(); ; await sleep(TICK_MS)) {
  const due = Math.floor((PER_SECOND * (performance.now() - startedAt)) / 1_000);
  // A machine that was asleep doesn't wake up to a crowd.
  if (due - came > PER_SECOND) came = due - PER_SECOND;
  for (; came < due; came++) void order();
}
