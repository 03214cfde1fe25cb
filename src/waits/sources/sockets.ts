import type { Socket } from "node:net";
import { Pending } from "../pending.js";
import { currentSheet, type TaskNotes } from "../task-notes.js";
import type { Wait } from "../wait.js";
import type { Source } from "./source.js";

const sockets = new WeakMap<Socket, SocketWait>();

class SocketWait extends Pending {
  readonly kind = "socket";

  constructor(
    sheet: TaskNotes,
    private readonly socket: Socket,
  ) {
    super(sheet);
  }

  /** Those of an HTTP agent are kept for others; this is what it listens to. */
  override look(): Wait | undefined {
    return this.socket.listenerCount("agentRemove") > 0 ? undefined : super.look();
  }

  protected label(): string {
    const { remoteAddress, remotePort } = this.socket;
    if (remoteAddress !== undefined) return `${remoteAddress}:${remotePort}`;
    return attempts(this.socket).at(-1) ?? (this.socket as { _host?: string | null })._host ?? "a socket";
  }

  protected override state(): string {
    return socketState(this.socket);
  }
}

/** How far the connection has come. */
export function socketState(socket: Socket): string {
  if (socket.connecting) {
    const { _host } = socket as { _host?: string | null };
    return _host != null && attempts(socket).length === 0 ? "looking up the address" : "connecting";
  }
  return `open, ${socket.bytesWritten} bytes sent, ${socket.bytesRead} received`;
}

function attempts(socket: Socket): readonly string[] {
  return socket.autoSelectFamilyAttemptedAddresses ?? [];
}

/** The socket is kept for others, and nobody's wait. */
export function forgetSocket(socket: Socket): void {
  sockets.get(socket)?.end();
}

/** Connections that tasks open themselves. Those under TLS are not told of. */
export const openSockets: Source = {
  "net.client.socket": ({ socket }) => {
    const sheet = currentSheet();
    if (sheet === undefined) return;
    const wait = new SocketWait(sheet, socket);
    sockets.set(socket, wait);
    socket.once("close", () => wait.end());
  },
};
