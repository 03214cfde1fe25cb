import type { Onlooking } from "../contracts.js";
import { shared } from "../shared.js";

/** Who looks on while tasks run: a watchdog, if there is one. */
export const onlooking = shared<Onlooking>("onlooking", () => ({
  current: undefined,
  users: 0,
  end: undefined,
}));
