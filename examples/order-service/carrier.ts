import { ConsecutiveBreaker, circuitBreaker, handleType } from "cockatiel";
import { Gate } from "queuescope";
import { CarrierError } from "./shipping.js";

/**
 * The way to the carrier: so many calls at a time. After five failures in a row there is no call for two seconds, and orders wait without
 * using up their attempts. Only the carrier's failures count, not mistakes of our own.
 */
export function carrierGate(concurrency: number): Gate {
  const breaker = new ConsecutiveBreaker(5);
  const policy = circuitBreaker(handleType(CarrierError), { halfOpenAfter: 2_000, breaker });
  return new Gate({ name: "carrier", concurrency, policy });
}
