import { mongoStatement, redisStatement, sqlStatement } from "../statements.js";

/** How much of what is written to a connection is kept, in bytes. */
export const KEPT_BYTES = 600;

/** What a client has asked for, as its protocol has it. */
export interface WireStatement {
  /** The protocol. */
  readonly client: string;
  readonly what: "query" | "command" | "statement";
  readonly statement: string;
  /** Whether it is only prepared, so that a request to execute it follows. */
  readonly isPrepared?: boolean;
}

/**
 * What a client asks for that begins to write so, if its protocol is known by its form: PostgreSQL, MySQL, Redis or MongoDB. Never a message
 * by which a client proves who it is. One character stands for each byte; `firstBytes` is how long the first part was that it wrote.
 */
export function wireStatement(sent: string, firstBytes: number): WireStatement | undefined {
  return redis(sent) ?? mongo(sent) ?? postgres(sent, firstBytes) ?? mysql(sent, firstBytes);
}

function redis(sent: string): WireStatement | undefined {
  const head = /^\*(\d+)\r\n\$\d+\r\n([a-z_.]+)(?:\r\n(?:\$(\d+)\r\n)?|$)/i.exec(sent);
  if (head === null) return undefined;
  const [all, count, command, length] = head;
  const args = Math.max(0, Number(count) - 1);
  const key = length === undefined ? undefined : text(sent.slice(all.length, all.length + Number(length)));
  return { client: "redis", what: "command", statement: redisStatement(command!, [key, ""].slice(0, args)) };
}

const OP_MSG = 2013;
const BSON_STRING = 2;

function mongo(sent: string): WireStatement | undefined {
  if (sent.length < 27 || int32(sent, 12) !== OP_MSG) return undefined;
  // The first section is a document, whose first member is the command.
  if (sent.charCodeAt(20) !== 0) return undefined;
  const end = sent.indexOf("\0", 26);
  if (end === -1) return undefined;
  const command = sent.slice(26, end);
  const isText = sent.charCodeAt(25) === BSON_STRING;
  const value = isText ? text(sent.slice(end + 5, end + 4 + int32(sent, end + 1))) : undefined;
  return { client: "mongodb", what: "command", statement: mongoStatement(command, value) };
}

function postgres(sent: string, firstBytes: number): WireStatement | undefined {
  const type = sent[0];
  if (sent.length < 6 || sent.charCodeAt(1) > 1) return undefined;
  const length = int32(sent, 1, false);
  if (length < 5 || length > firstBytes - 1) return undefined;
  const body = sent.slice(5, 1 + length);
  if (type === "Q" || type === "P") {
    // `P` names the statement first.
    const query = type === "Q" ? body : body.slice(body.indexOf("\0") + 1);
    const end = query.indexOf("\0");
    const statement = sqlStatement(text(end === -1 ? query : query.slice(0, end)), "postgres");
    const isPrepared = type === "P" && !has(sent, "E");
    return { client: "postgres", what: "query", statement, isPrepared };
  }
  if (type !== "B") return undefined;
  // The portal's name, and that of a statement that was prepared before.
  const [, name] = body.split("\0");
  return { client: "postgres", what: "statement", statement: (name ?? "").slice(0, 60) };
}

/** Whether one of the messages to PostgreSQL has the type. */
function has(sent: string, type: string): boolean {
  for (let at = 0; at < sent.length; ) {
    const length = int32(sent, at + 1, false);
    if (sent[at] === type) return true;
    if (length < 4) return false;
    at += 1 + length;
  }
  return false;
}

const COM_QUERY = 3;
const COM_PREPARE = 22;
const COM_EXECUTE = 23;

function mysql(sent: string, firstBytes: number): WireStatement | undefined {
  if (sent.length < 5 || sent.charCodeAt(3) !== 0) return undefined;
  const length = sent.charCodeAt(0) | (sent.charCodeAt(1) << 8) | (sent.charCodeAt(2) << 16);
  if (length !== firstBytes - 4) return undefined;
  const command = sent.charCodeAt(4);
  const body = sent.slice(5);
  if (command === COM_QUERY || command === COM_PREPARE) {
    const statement = sqlStatement(text(body), "mysql");
    return { client: "mysql", what: "query", statement, isPrepared: command === COM_PREPARE };
  }
  if (command !== COM_EXECUTE || body.length < 4) return undefined;
  return { client: "mysql", what: "statement", statement: `prepared ${int32(body, 0)}` };
}

/** Of bytes, UTF-8; what is cut in the midst of a character is left out. */
function text(bytes: string): string {
  return Buffer.from(bytes, "latin1")
    .toString()
    .replace(/\ufffd+$/, "");
}

function int32(bytes: string, at: number, isLittleEndian = true): number {
  const buffer = Buffer.from(bytes.slice(at, at + 4), "latin1");
  if (buffer.length < 4) return -1;
  return isLittleEndian ? buffer.readInt32LE(0) : buffer.readInt32BE(0);
}
