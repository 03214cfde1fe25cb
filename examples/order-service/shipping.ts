import { setTimeout as sleep } from "node:timers/promises";
import type { Order } from "./orders.js";

/** Every so many orders one fails, while shipping is slow. */
const FAILS_ONE_IN = 40;

/** The downstream service. Ours only sleeps; its bad days are made by the load. */
export class Shipping {
  /** How many times longer than usual it takes. */
  slowdown = 1;

  constructor(private readonly usualMs: number) {}

  async ship(_order: Order, signal: AbortSignal): Promise<void> {
    const { slowdown } = this;
    await sleep(this.usualMs * slowdown * (0.5 + Math.random()), undefined, { signal });
    if (slowdown > 1 && Math.random() < 1 / FAILS_ONE_IN) throw new Error("the carrier did not answer");
  }
}
