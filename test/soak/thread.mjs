/** Does what it is told, in a thread. */
export default async function work(order) {
  if (order === "crash") process.exit(1);
  if (order === "throw aside") {
    setImmediate(() => {
      throw new Error("aside, in a thread");
    });
    await new Promise(() => {});
  }
  return order;
}
