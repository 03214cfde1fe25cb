import { randomBytes } from "node:crypto";
import { get, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** Text messages of one frame or more, as inspectors send them. */
const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const FINAL = 0x80;
const MASKED = 0x80;

/** A connection of text messages. */
export interface Connection {
  send(text: string): void;
  close(): void;
}

interface Listener {
  message(text: string): void;
  /** The connection has ended, on purpose or not. */
  closed(): void;
}

/**
 * The client's side of a WebSocket, as far as an inspector needs it: Node 20 has none without a flag. Rejects where the server doesn't
 * answer as one does.
 */
export function connectTo(url: URL, listener: Listener): Promise<Connection> {
  const { hostname, port, pathname } = url;
  return new Promise((resolve, reject) => {
    const request = get({
      host: hostname.replace(/^\[|\]$/g, ""),
      port,
      path: pathname,
      agent: false,
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
      },
    });
    request.on("error", reject);
    request.on("response", (response: IncomingMessage) => {
      response.resume();
      reject(new Error(`the inspector answered ${response.statusCode}`));
    });
    request.on("upgrade", (_, socket, head) => resolve(connectionOn(socket, head, listener)));
  });
}

function connectionOn(socket: Duplex, head: Buffer, listener: Listener): Connection {
  let isOpen = true;
  const end = () => {
    if (!isOpen) return;
    isOpen = false;
    listener.closed();
  };
  const send = (opcode: number, payload: Buffer) => {
    if (isOpen && socket.writable) socket.write(maskedFrame(opcode, payload));
  };
  const frames = new FrameReader((opcode, payload) => {
    if (opcode === TEXT) listener.message(payload.toString("utf8"));
    else if (opcode === PING) send(PONG, payload);
    else if (opcode === CLOSE) socket.end();
  });
  socket.on("data", (chunk: Buffer) => frames.read(chunk));
  socket.on("error", end);
  socket.on("close", end);
  if (head.length > 0) frames.read(head);
  return {
    send: (text) => send(TEXT, Buffer.from(text)),
    close: () => {
      send(CLOSE, Buffer.alloc(0));
      socket.end();
    },
  };
}

function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.alloc(2 + extra + 4 + length);
  frame[0] = FINAL | opcode;
  frame[1] = MASKED | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  const mask = randomBytes(4);
  mask.copy(frame, 2 + extra);
  const start = 2 + extra + 4;
  for (let i = 0; i < length; i++) frame[start + i] = payload[i]! ^ mask[i % 4]!;
  return frame;
}

/** Puts a server's frames, which aren't masked, together from whatever pieces they come in. */
class FrameReader {
  private pieces: Buffer[] = [];
  private size = 0;
  private message: Buffer[] = [];
  private opcode = 0;

  constructor(private readonly hear: (opcode: number, payload: Buffer) => void) {}

  read(chunk: Buffer): void {
    this.pieces.push(chunk);
    this.size += chunk.length;
    while (this.next()) {}
  }

  private next(): boolean {
    if (this.size < 2) return false;
    const start = this.peek(Math.min(10, this.size));
    const short = start[1]! & 0x7f;
    const extra = short < 126 ? 0 : short === 126 ? 2 : 8;
    if (start.length < 2 + extra) return false;
    const length =
      extra === 0 ? short : extra === 2 ? start.readUInt16BE(2) : Number(start.readBigUInt64BE(2));
    if (this.size < 2 + extra + length) return false;
    const opcode = start[0]! & 0x0f;
    const isFinal = (start[0]! & FINAL) !== 0;
    const payload = this.take(2 + extra + length).subarray(2 + extra);
    // Control frames may come between the parts of a message.
    if (opcode >= CLOSE) {
      this.hear(opcode, payload);
      return true;
    }
    if (opcode !== 0) this.opcode = opcode;
    this.message.push(payload);
    if (isFinal) {
      const whole = this.message.length === 1 ? payload : Buffer.concat(this.message);
      this.message = [];
      this.hear(this.opcode, whole);
    }
    return true;
  }

  private peek(length: number): Buffer {
    const [first] = this.pieces;
    if (first!.length < length) this.pieces = [Buffer.concat(this.pieces)];
    return this.pieces[0]!.subarray(0, length);
  }

  private take(length: number): Buffer {
    if (this.pieces[0]!.length < length) this.pieces = [Buffer.concat(this.pieces)];
    const whole = this.pieces[0]!;
    this.size -= length;
    if (whole.length === length) this.pieces.shift();
    else this.pieces[0] = whole.subarray(length);
    return whole.subarray(0, length);
  }
}
