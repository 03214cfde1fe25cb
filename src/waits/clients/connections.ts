import { executionAsyncResource } from "node:async_hooks";
import type { Socket } from "node:net";
import { realNow } from "../../base/real-time.js";
import { short } from "../labels.js";
import { replace } from "../replace.js";
import { hasOpened } from "../sources/sockets.js";
import { framesOf, sampledPlace } from "../stacks.js";
import { peerOf, statementLabel } from "../statements.js";
import type { TaskNotes } from "../task-notes.js";
import type { OpenWait, Question, Wait } from "../wait.js";
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

/** The last question of each connection that a task has asked, if it stood alone; else undefined. */
const last = new WeakMap<Socket, WeakRef<SentQuestion> | undefined>();
/** Connections over which statements go. */
const speaking = new WeakSet<Socket>();
/** Connections of which the client tells itself who asks for what. */
const told = new WeakSet<object>();

/** What is written to the connection needs no look. */
export function isToldOf(socket: unknown): void {
  if (typeof socket === "object" && socket !== null && !told.has(socket)) told.add(socket);
}

/** What a task wrote to a connection, until something comes back. */
class SentQuestion implements Question {
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
  readonly self = new WeakRef(this);
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
    if (!speaking.has(socket) && this.isStatement) speaking.add(socket);
  }

  isOf(notes: TaskNotes): boolean {
    return this.notes === notes;
  }

  get isStatement(): boolean {
    return wireStatement(this.sent, this.firstBytes) !== undefined;
  }

  isOpen(socket: Connection): boolean {
    return !socket.destroyed && socket.readable && socket.bytesRead === this.readBefore;
  }

  /** The client has read that a statement is prepared, and writes that it is to be executed. */
  goesOn(socket: Connection, chunk: string | Uint8Array): void {
    if (!wireStatement(this.sent, this.firstBytes)?.isPrepared) return;
    if (wireStatement(beginning(chunk), chunk.length)?.what !== "statement") return;
    this.readBefore = socket.bytesRead;
    this.bytes += chunk.length;
  }

  describe(): Wait | undefined {
    const { since, place } = this;
    const socket = this.socket.deref();
    if (socket === undefined || !this.isOpen(socket)) return undefined;
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
      kind: "sent",
      label: short(`${this.bytes} bytes to ${peer ?? "a socket"}`),
      state: "nothing has come back since",
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
  // Not by an import, so that a process without watchdogs loads no streams for it.
  const { Socket: sockets } = process.getBuiltinModule("node:net");
  const restore = replace(sockets.prototype, "write", (original) => {
    return function write(this: Connection, ...args: unknown[]): unknown {
      if (isOn) {
        try {
          if (!known.has(this)) {
            known.add(this);
            seen();
          }
          note(this, args[0], callingTask());
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

function note(socket: Connection, chunk: unknown, notes: TaskNotes | undefined): void {
  // That no task has ever written to it is most frequent.
  if (notes === undefined && !last.has(socket)) return;
  if (socket.server != null || socket._isStdio === true || told.has(socket)) return;
  if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) return;
  const before = last.get(socket)?.deref();
  if (notes !== undefined && isOwnTurn(socket, notes, before)) ask(socket, chunk, notes, before);
  else before?.goesOn(socket, chunk);
}

/**
 * Whether the task in whose context it is written has asked for that. What a client writes while it reads is the next of its queue, in the
 * context of the task that has opened the connection: of that task are the handshake, and the first statement.
 */
function isOwnTurn(socket: Connection, notes: TaskNotes, before: SentQuestion | undefined): boolean {
  if (!last.has(socket)) return true;
  if (!speaking.has(socket) && before?.isOf(notes)) return true;
  return executionAsyncResource() !== socket._handle;
}

function ask(
  socket: Connection,
  chunk: string | Uint8Array,
  notes: TaskNotes,
  before: SentQuestion | undefined,
): void {
  notes.questions ??= new WeakMap();
  const { questions } = notes;
  let question = questions.get(socket) as SentQuestion | undefined;
  if (question === undefined) {
    question = new SentQuestion(socket, notes);
    questions.set(socket, question);
  }
  const isAlone = before === undefined || before === question || !before.isOpen(socket);
  question.wrote(socket, chunk);
  if (before !== question) last.set(socket, isAlone ? question.self : undefined);
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
