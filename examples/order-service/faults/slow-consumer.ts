import { customersCome } from "./customers.js";
import type { Fault } from "./fault.js";

const DRAG = 25;

/** Fewer orders come than could be shipped on a good day, and not so many that the queue gets full: it is only late. */
export const slowConsumer: Fault = {
  name: "slow-consumer",
  says: `shipping takes ${DRAG} times as long, so that orders wait longer than their SLA allows`,
  begin({ orders, shipping, managed }) {
    const goAway = customersCome(orders, 0.2 * managed, orders.capacity / 4);
    shipping.drag = DRAG;
    return () => {
      shipping.drag = 1;
      goAway();
    };
  },
};
