import { order } from "./customers.js";
import type { Fault } from "./fault.js";

const TICK_MS = 100;
/** At once, however large the queue is: the event loop has other things to do. */
const MOST_AT_ONCE = 1_000;

/** Regular orders only, which may wait 5 s: what is wrong is that there is no room for more. */
export const burst: Fault = {
  name: "burst",
  says: "far more orders come than the queue holds, and are refused",
  begin({ orders }) {
    const crowd = () => {
      const count = Math.min(Math.ceil(orders.capacity / 2), MOST_AT_ONCE);
      for (let i = 0; i < count; i++) order(orders, "regular");
    };
    crowd();
    const timer = setInterval(crowd, TICK_MS);
    return () => clearInterval(timer);
  },
};
