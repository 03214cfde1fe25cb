const { startShipping } = require("./orders.js");

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test("ships every order before it stops, each in its own correlation ID", async () => {
  const ship = jest.fn();
  const { orders, pool } = startShipping(ship);
  await orders.put("book", { correlationId: "request-1" });
  await orders.put("lamp", { correlationId: "request-2" });
  const { abandoned, leftOver } = await pool.drain();
  expect([abandoned, leftOver.count]).toEqual([[], 0]);
  expect(ship.mock.calls).toEqual([
    ["book", "request-1"],
    ["lamp", "request-2"],
  ]);
});

test("tries again after a second", async () => {
  const ship = jest.fn().mockRejectedValueOnce(new Error("out of stock"));
  const { orders, pool } = startShipping(ship);
  await orders.put("book");
  await jest.advanceTimersByTimeAsync(0);
  expect(ship).toHaveBeenCalledTimes(1);
  // The delay has a random part, so it is a second at most.
  await jest.advanceTimersByTimeAsync(1_000);
  await orders.join();
  expect(ship).toHaveBeenCalledTimes(2);
  await pool.stop();
});
