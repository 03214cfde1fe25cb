import { setTimeout as sleep } from "node:timers/promises";
import type { Shipping } from "./shipping.js";

interface Phase {
  readonly name: string;
  readonly seconds: number;
  /** Orders that come in, as a multiple of what the consumers manage while nothing is wrong. */
  readonly pressure: number;
  readonly slowdown: number;
  readonly says: string;
}

const PHASES: readonly Phase[] = [
  { name: "calm", seconds: 4, pressure: 0.5, slowdown: 1, says: "no order waits" },
  { name: "burst", seconds: 3, pressure: 3, slowdown: 1, says: "regular orders pile up, VIPs overtake them" },
  {
    name: "slow downstream",
    seconds: 5,
    pressure: 0.5,
    slowdown: 12,
    says: "all wait for the carrier, newcomers get 503",
  },
  {
    name: "recovery",
    seconds: 8,
    pressure: 0.2,
    slowdown: 1,
    says: "the oldest go first, the queue empties",
  },
];

const VIP_SHARE = 0.2;
const TICK_MS = 20;

export interface Load {
  readonly url: string;
  readonly shipping: Shipping;
  /** Orders a second that the consumers manage while nothing is wrong. */
  readonly managed: number;
  readonly signal: AbortSignal;
}

/** Sends orders over HTTP, phase after phase and all over again, until the signal. */
export async function sendLoad({ url, shipping, managed, signal }: Load): Promise<void> {
  for (let i = 0; !signal.aborted; i = (i + 1) % PHASES.length) {
    const { name, seconds, pressure, slowdown, says } = PHASES[i]!;
    const perSecond = managed * pressure;
    shipping.slowdown = slowdown;
    console.log(
      `\n── ${name}: ${perSecond.toFixed()} orders/s come in, ${(managed / slowdown).toFixed()} can be shipped: ${says}`,
    );
    const startedAt = performance.now();
    for (let sent = 0, elapsed = 0; elapsed < seconds && !signal.aborted; ) {
      for (; sent < perSecond * elapsed; sent++) void send(url, signal);
      await sleep(TICK_MS, undefined, { signal }).catch(() => {});
      elapsed = (performance.now() - startedAt) / 1_000;
    }
  }
}

/** Like the customers of any shop, these don't care what becomes of an order that is refused. */
async function send(url: string, signal: AbortSignal): Promise<void> {
  try {
    const body = JSON.stringify({ power_user: Math.random() < VIP_SHARE });
    // A signal of its own: each request adds a listener to the one that it is given.
    const own = AbortSignal.any([signal]);
    await (await fetch(url, { method: "POST", body, signal: own })).text();
  } catch (error) {
    if (!signal.aborted) console.error(`an order could not be sent: ${error}`);
  }
}
