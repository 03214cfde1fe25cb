import { customersCome } from "./customers.js";
import type { Fault } from "./fault.js";

/** The workers stop: a pool that is only paused still has idle ones. */
export const noConsumer: Fault = {
  name: "no-consumer",
  says: "every worker goes home, and orders wait in vain",
  begin({ orders, staff, managed }) {
    const goAway = customersCome(orders, 0.2 * managed, orders.capacity / 4);
    staff.leave();
    return () => {
      staff.hire();
      goAway();
    };
  },
};
