import { customersCome } from "./customers.js";
import type { Fault } from "./fault.js";

const SHARE = 0.9;

/** A mistake of ours and not of the carrier's: its circuit breaker stays closed, orders fail at once, and the queue is never late. */
export const failingHandler: Fault = {
  name: "failing-handler",
  says: `${100 * SHARE} % of all attempts fail, so that most orders fail`,
  begin({ orders, labels, managed }) {
    const goAway = customersCome(orders, 0.4 * managed, orders.capacity / 2);
    labels.failing = SHARE;
    return () => {
      labels.failing = 0;
      goAway();
    };
  },
};
