import { expect, it } from "vitest";
import { carrierGate } from "../../examples/order-service/carrier.js";
import { openDeadLetters } from "../../examples/order-service/dead-letters.js";
import { Labels } from "../../examples/order-service/labels.js";
import { openOrders, type Unshipped } from "../../examples/order-service/orders.js";
import { Shipping } from "../../examples/order-service/shipping.js";
import { Staff } from "../../examples/order-service/staff.js";
import { Waits } from "../../examples/order-service/waits.js";

it("those who went home finish what they had begun, as long as there is time, when the service closes", async () => {
  const unshipped: Unshipped = { waiting: [], inFlight: [] };
  const orders = openOrders(10, unshipped);
  const shipping = new Shipping(1);
  let ship!: () => void;
  const shipped = new Promise<void>((resolve) => {
    ship = resolve;
  });
  const begun = new Promise<void>((begin) => {
    shipping.ship = () => {
      begin();
      return shipped;
    };
  });
  const staff = new Staff({
    orders,
    labels: new Labels(),
    shipping,
    carrier: carrierGate(1),
    deadLetters: openDeadLetters(),
    waits: new Waits(),
    unshipped,
    consumers: 1,
  });
  await orders.put({ id: "slow" }, { tier: "vip" });
  await begun;
  staff.leave();
  staff.hire();
  const closed = staff.close(60_000);
  setImmediate(ship);
  await closed;
  expect(unshipped).toEqual({ waiting: [], inFlight: [] });
});
