import type { Socket } from "node:net";
import { currentTaskNotes, type TaskNotes } from "../task-notes.js";
import type { Wait } from "../wait.js";
import { Pending, type Source } from "./source.js";

const sockets = new WeakMap<Socket, SocketWait>();

class SocketWait extends Pending {
  readonly kind = "socket";

  constructor(
    notes: TaskNotes,
    private readonly socket: Socket,
  ) {
    super(notes);
  }

  /** A connection that is kept for what others ask for is no wait. An HTTP agent keeps its own, and listens to this event. */
  override describe(): Wait | undefined {
    const { socket, notes } = this;
    if (socket.listenerCount("agentRemove") > 0 || notes.questions?.get(socket)?.isStatement)
      return undefined;
    return super.describe();
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

/** Whether the task has opened the connection, which is then one of its waits. */
export function hasOpened(notes: TaskNotes, socket: Socket): boolean {
  return sockets.get(socket)?.notes === notes;
}

/** The socket is kept for other requests: it is no wait. */
export function forgetSocket(socket: Socket): void {
  sockets.get(socket)?.end();
}

/** Connections that tasks open themselves, but those under TLS. */
export const openSockets: Source = {
  "net.client.socket": ({ socket }) => {
    const notes = currentTaskNotes();
    if (notes === undefined) return;
    const wait = new SocketWait(notes, socket);
    sockets.set(socket, wait);
    socket.once("close", () => wait.end());
  },
};
