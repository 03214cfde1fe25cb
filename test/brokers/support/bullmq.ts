import { context, propagation } from "@opentelemetry/api";
import * as bullmq6 from "bullmq";
import * as bullmq5 from "bullmq-5";
import { withCorrelationId } from "../../../src/index.js";

export type Bull = typeof bullmq6;

/** Both majors, by the number; they are used alike, though their types differ. */
export const MAJORS: Readonly<Record<number, Bull>> = { 5: bullmq5 as unknown as Bull, 6: bullmq6 };

/** Calls `fn` as a request of that number would: with a correlation ID and baggage of its own. */
export function inRequest<R>(number: number, fn: () => R): R {
  const baggage = propagation.createBaggage({ request: { value: `${number}` } });
  const here = propagation.setBaggage(context.active(), baggage);
  return context.with(here, () => withCorrelationId(`request ${number}`, fn));
}

/** The number of the request that is in the baggage here. */
export function requestHere(): string | undefined {
  return propagation.getActiveBaggage()?.getEntry("request")?.value;
}
