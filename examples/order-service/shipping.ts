import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "queuescope";
import type { Order } from "./orders.js";

/** Every so many orders one fails, while shipping is slow. */
const FAILS_ONE_IN = 40;

export class CarrierError extends Error {}

/** The downstream service. Ours only sleeps; its bad days are made by the load, its outages by the faults. */
export class Shipping {
  /** How many times longer than usual it takes, as the load has it. */
  slowdown = 1;
  /** And how many times longer than that, as a fault has it. */
  drag = 1;
  isDown = false;

  constructor(private readonly usualMs: number) {}

  async ship(_order: Order, signal: AbortSignal): Promise<void> {
    if (this.isDown) throw new CarrierError("the carrier is down");
    const { slowdown, drag } = this;
    const ms = this.usualMs * slowdown * drag * (0.5 + Math.random());
    // A call over HTTP would be known by its address; this one has to say what it waits for.
    await waitFor("the carrier", sleep(ms, undefined, { signal }));
    if (slowdown > 1 && Math.random() < 1 / FAILS_ONE_IN) {
      throw new CarrierError("the carrier did not answer");
    }
  }
}
