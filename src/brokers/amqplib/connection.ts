import type { Method } from "../../adapters/patch.js";
import type { BrokerHub } from "../../contracts/index.js";

type Emitter = {
  on(event: string, listener: Method): unknown;
  off(event: string, listener: Method): unknown;
};

/** The hubs that are told when one connection is blocked. */
interface Ears {
  /** By how many channels each has there. */
  readonly hubs: Map<BrokerHub, number>;
  /** Why the broker takes nothing; undefined while it does. */
  reason: string | undefined;
  readonly close: () => void;
}

/** One listener a connection, as it may have many channels, and Node warns of more than ten listeners. */
const connections = new WeakMap<object, Ears>();

/** Tells the hub when the connection of this channel is blocked, as for a memory alarm. Returns how to end that. */
export function onBlocked(channel: object, hub: BrokerHub): () => void {
  const { connection } = channel as { connection?: Partial<Emitter> };
  if (typeof connection?.on !== "function" || typeof connection.off !== "function") return () => {};
  let ears = connections.get(connection);
  if (ears === undefined) {
    ears = listen(connection as Emitter);
    connections.set(connection, ears);
  }
  const { hubs, reason } = ears;
  hubs.set(hub, (hubs.get(hub) ?? 0) + 1);
  if (reason !== undefined) hub.blocked(reason);
  const mine = ears;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    const left = (hubs.get(hub) ?? 0) - 1;
    if (left > 0) hubs.set(hub, left);
    else hubs.delete(hub);
    if (hubs.size > 0) return;
    mine.close();
    connections.delete(connection);
  };
}

function listen(connection: Emitter): Ears {
  const tell = (reason: string | undefined) => {
    ears.reason = reason;
    for (const hub of ears.hubs.keys()) hub.blocked(reason);
  };
  const listeners: Readonly<Record<string, Method>> = {
    blocked: (reason: unknown) => tell(typeof reason === "string" ? reason : "blocked"),
    unblocked: () => tell(undefined),
    // A connection that is gone is blocked no more.
    close: () => {
      if (ears.reason !== undefined) tell(undefined);
    },
  };
  for (const [event, listener] of Object.entries(listeners)) connection.on(event, listener);
  const close = () => {
    for (const [event, listener] of Object.entries(listeners)) connection.off(event, listener);
  };
  const ears: Ears = { hubs: new Map(), reason: undefined, close };
  return ears;
}

/** Where the broker is, by its socket. */
export function serverOf(channel: object): Readonly<Record<string, string | number>> {
  try {
    const { stream } = (
      channel as { connection: { stream?: { remoteAddress?: unknown; remotePort?: unknown } } }
    ).connection;
    const { remoteAddress, remotePort } = stream ?? {};
    return typeof remoteAddress === "string" && typeof remotePort === "number"
      ? { "server.address": remoteAddress, "server.port": remotePort }
      : {};
  } catch {
    return {};
  }
}
