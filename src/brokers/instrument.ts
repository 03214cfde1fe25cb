import { InvalidOptionTypeError } from "../base/errors.js";
import { checkName } from "../base/limits.js";
import type { BrokerAdapter, Instrumented } from "../contracts/index.js";
import { Hub } from "./hub.js";
import { type BrokerOptions, readBrokerOptions } from "./options.js";

export type { BrokerOptions, BrokerQueueOptions } from "./options.js";

/** Whether it adapts the clients of a broker: it has no tiers of its own. */
export function isBrokerAdapter(adapter: unknown): adapter is BrokerAdapter {
  const { system, attach, tiersOf } = (adapter ?? {}) as Partial<BrokerAdapter & { tiersOf: unknown }>;
  return typeof attach === "function" && typeof system === "string" && tiersOf === undefined;
}

/** What the client is called when it is instrumented, checked with all options. Throws an `InvalidOption…Error`. */
export function readClient(
  client: object,
  options: BrokerOptions,
): { readonly name: string; attach(): Instrumented } {
  const { adapter } = options;
  const only = adapter.queueOf?.(client);
  if (only !== undefined) checkName("the client's queue", only);
  const settings = readBrokerOptions(options, adapter, only);
  const names = [...settings.queues.values()].map(({ name }) => name);
  const name = names.length === 0 ? settings.other.name : names.join(", ");
  return { name, attach: () => attach(client, adapter, new Hub(adapter, settings), name) };
}

/** A client that is gone, as a channel is after each reconnect, leaves nothing that is still asked about. */
const gone = new FinalizationRegistry<Hub>((hub) => hub.close());

function attach(client: object, adapter: BrokerAdapter, hub: Hub, name: string): Instrumented {
  let detach: () => void;
  try {
    detach = adapter.attach(client, hub);
    if (typeof detach !== "function") {
      throw new InvalidOptionTypeError("adapter.attach", detach, "a function that returns one");
    }
  } catch (error) {
    hub.close();
    throw error;
  }
  gone.register(client, hub, hub);
  const watchables = Array.from(hub.queues.values(), ({ watchable }) => watchable);
  const undo = () => {
    gone.unregister(hub);
    try {
      detach();
    } finally {
      hub.close();
    }
  };
  return { name, watchables, undo };
}
