import { setTimeout as sleep } from "node:timers/promises";

/** In a thread: handles an item, or ends the thread. */
export default async function handle(item) {
  await sleep(10);
  if (item === "poison") process.exit(1);
}
