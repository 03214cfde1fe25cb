import { customersCome } from "./customers.js";
import type { Fault } from "./fault.js";

export const carrierDown: Fault = {
  name: "carrier-down",
  says: "the carrier refuses every call, so that the circuit breaker opens and orders wait for it",
  begin({ orders, shipping, managed }) {
    const goAway = customersCome(orders, 0.2 * managed, orders.capacity / 4);
    shipping.isDown = true;
    return () => {
      shipping.isDown = false;
      goAway();
    };
  },
};
