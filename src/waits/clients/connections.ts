import { executionAsyncResource } from "node:async_hooks";
import { Socket } from "node:net";
import { realNow } from "../../base/real-time.js";
import { short } from "../labels.js";
import { replace } from "../replace.js";
import { hasOpened } from "../sources/sockets.js";
import { framesOf, sampledPlace } from "../stacks.js";
import { peerOf, statementLabel } from "../statements.js";
import type { TaskNotes } from "../task-notes.js";
import type { OpenWait, Wait } from "../wait.js";
import { callingTask } from "./query-wait.js";
import { KEPT_BYTES, wireStatement } from "./wire.js";

/** Parts of Node's sockets that its types lack. */
type Connection = Socket & {
  /** The other side of a server's connection is a client, which owes no answer. */
  readonly server?: object | null;
  readonly _isStdio?: boolean;
  readonly _host?: string | null;
  readonly _handle?: object | null;
};

/** What wrote to a socket: one task, or several. */
const writers = new WeakMap<Socket, WeakRef<TaskNotes> | "several">();

/** What a task wrote to a connection, until something comes back. */
class Question implements OpenWait {
  readonly kind = "socket";
  previous: OpenWait | undefined = undefined;
  next: OpenWait | undefined = undefined;
  private since = 0;
  private place: Error | undefined = undefined;
  /** How it begins, and how long its first part is, in bytes. */
  private sent = "";
  private firstBytes = 0;
  private bytes = 0;
  private readBefore = -1;

  /** Weakly: what is listening to the connection may hold the task's context. */
  private readonly socket: WeakRef<Connection>;

  constructor(
    socket: Connection,
    private readonly notes: TaskNotes,
  ) {
    this.socket = new WeakRef(socket);
    notes.pending.append(this);
  }

  wrote(socket: Connection, chunk: string | Uint8Array): void {
    const { notes } = this;
    const { length } = chunk;
    if (socket.bytesRead !== this.readBefore) {
      this.readBefore = socket.bytesRead;
      this.since = realNow();
      this.place = sampledPlace();
      this.sent = "";
      this.bytes = 0;
      this.firstBytes = length;
      // The newest comes last.
      notes.pending.remove(this);
      notes.pending.append(this);
    }
    this.bytes += length;
    if (this.sent.length < KEPT_BYTES) this.sent += beginning(chunk);
  }

  describe(): Wait | undefined {
    const { since, place } = this;
    const socket = this.socket.deref();
    if (socket === undefined || socket.destroyed || !socket.readable || socket.bytesRead !== this.readBefore)
      return undefined;
    // An HTTP agent keeps its sockets, and listens to this event.
    if (socket.listenerCount("agentRemove") > 0) return undefined;
    const stack = place && framesOf(place);
    const peer = peerOfSocket(socket);
    const asked = wireStatement(this.sent, this.firstBytes);
    if (asked !== undefined) {
      const label = statementLabel(asked.client, asked.what, asked.statement, peer);
      return { kind: "query", label: short(label), state: undefined, since, stack };
    }
    // Of a connection of its own, the task is told that it is open.
    if (hasOpened(this.notes, socket)) return undefined;
    return {
      kind: "socket",
      label: short(`an answer from ${peer ?? "a socket"}`),
      state: `${this.bytes} bytes sent`,
      since,
      stack,
    };
  }
}

/**
 * What tasks write to connections that are open already, whatever client writes it. `seen` is called once for each connection that is
 * written to. Returns the function that ends it.
 */
export function watchConnections(seen: () => void): () => void {
  const known = new WeakSet<Socket>();
  let isOn = true;
  const restore = replace(Socket.prototype, "write", (original) => {
    return function write(this: Connection, ...args: unknown[]): unknown {
      if (isOn) {
        try {
          if (!known.has(this)) {
            known.add(this);
            seen();
          }
          const notes = callingTask();
          if (notes !== undefined) note(this, args[0], notes);
        } catch {
          // Another version of Node may have another form: that wait stays unknown.
        }
      }
      return Reflect.apply(original, this, args);
    };
  });
  return () => {
    isOn = false;
    restore?.();
  };
}

function note(socket: Connection, chunk: unknown, notes: TaskNotes): void {
  if (socket.server != null || socket._isStdio === true) return;
  if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) return;
  const writer = writers.get(socket);
  if (writer === undefined) writers.set(socket, new WeakRef(notes));
  else if (writer === "several" || writer.deref() !== notes) {
    writers.set(socket, "several");
    // What a client writes while it reads is the next of its queue, in the context of the task that has opened the connection.
    if (executionAsyncResource() === socket._handle) return;
  }
  notes.questions ??= new WeakMap();
  const { questions } = notes;
  let question = questions.get(socket) as Question | undefined;
  if (question === undefined) {
    question = new Question(socket, notes);
    questions.set(socket, question);
  }
  question.wrote(socket, chunk);
}

/** One character for each byte. */
function beginning(chunk: string | Uint8Array): string {
  if (typeof chunk === "string") {
    // A copy: a part of a string would keep all of it.
    return Buffer.from(chunk.length > KEPT_BYTES ? chunk.slice(0, KEPT_BYTES) : chunk).toString("latin1");
  }
  return Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(chunk.length, KEPT_BYTES)).toString("latin1");
}

function peerOfSocket(socket: Connection): string | undefined {
  const { remoteAddress, remotePort } = socket;
  return peerOf(socket._host ?? remoteAddress, remotePort);
}
