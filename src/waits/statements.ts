import { isSecret } from "./labels.js";

/** How much of a statement is looked at, in characters. */
const MAX_READ = 2_000;
/** How much of it a label shows. */
const MAX_SHOWN = 60;
const MAX_PEER = 36;

export type SqlDialect = "postgres" | "mysql";

/**
 * What is no text of the statement's own: comments, strings and numbers. The end of the text ends each of them, because it may have been
 * cut. Double quotes enclose names in PostgreSQL, and strings in MySQL unless it is told otherwise.
 */
const COMMENT = String.raw`--[^\n]*|/\*[\s\S]*?(?:\*/|$)`;
const STRING = "'(?:[^']|'')*(?:'|$)";
const DOLLARS = String.raw`\$([a-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)`;
const NUMBER = String.raw`(?<![\w$.])(?:0x[\da-f]+|\d[\d.]*(?:e[+-]?\d+)?)(?!\w)`;
const LITERALS: Record<SqlDialect, RegExp> = {
  postgres: new RegExp(`${COMMENT}|"(?:[^"]|"")*(?:"|$)|${STRING}|${DOLLARS}|${NUMBER}`, "gi"),
  mysql: new RegExp(
    String.raw`${COMMENT}|#[^\n]*|\x60[^\x60]*(?:\x60|$)|"(?:[^"]|"")*(?:"|$)|${STRING}|${NUMBER}`,
    "gi",
  ),
};

/** The statement with `?` in place of each literal, in one line, without comments; what is in the midst of a long one is left out. */
export function sqlStatement(text: string, dialect: SqlDialect): string {
  let isUnsure = false;
  const plain = text.slice(0, MAX_READ).replace(LITERALS[dialect], (literal) => {
    if (isUnsure) return "";
    if (/^(?:--|\/\*|#)/.test(literal)) return " ";
    if (literal.startsWith("`") || (dialect === "postgres" && literal.startsWith('"'))) return literal;
    // Whether it escapes the quote behind it depends on the server's settings: where the string ends is not known.
    if (!literal.includes("\\")) return "?";
    isUnsure = true;
    return "?\0";
  });
  const end = plain.indexOf("\0");
  const line = (end === -1 ? plain : `${plain.slice(0, end)} …`)
    .replace(/\s+/g, " ")
    .trim()
    // Lists of values differ in length only.
    .replace(/\?(?: ?, ?\?)+/g, "?")
    .replace(/\(\?\)(?: ?, ?\(\?\))+/g, "(?)");
  return shortened(text.length > MAX_READ ? `${line} …` : line);
}

/** Commands whose arguments are no keys, or secrets. */
const KEYLESS =
  /^(?:acl|auth|client|cluster|command|config|debug|echo|eval(?:sha)?(?:_ro)?|failover|fcall(?:_ro)?|function|hello|latency|memory|migrate|module|object|psync|replicaof|restore|script|slaveof|xinfo)$/i;

/** A command to Redis with its first key; all other arguments are `?`. */
export function redisStatement(command: string, args: readonly unknown[] = []): string {
  const [key] = args;
  if (args.length === 0) return command.toLowerCase();
  if (KEYLESS.test(command) || !(typeof key === "string" || Buffer.isBuffer(key))) {
    return shortened(`${command.toLowerCase()} ?`);
  }
  const parts = String(key)
    .slice(0, 200)
    .split(/([:/])/);
  const shown = parts.map((part) => (isSecret(part) ? ":secret" : part)).join("");
  return shortened(`${command.toLowerCase()} ${shown}${args.length > 1 ? " ?" : ""}`);
}

/** Commands whose value is not the name of a collection. */
const NO_COLLECTION = /user|role|sasl|auth|hello|isMaster|killCursors/i;

export function mongoStatement(command: string, collection: unknown): string {
  if (typeof collection !== "string" || NO_COLLECTION.test(command)) return shortened(command);
  return shortened(`${command} ${collection}`);
}

/** `pg query "SELECT ? FOR UPDATE" at db:5432`. */
export function statementLabel(
  client: string,
  what: "query" | "command" | "statement",
  statement: string,
  peer: string | undefined,
): string {
  const at =
    peer === undefined ? "" : ` at ${peer.length <= MAX_PEER ? peer : `…${peer.slice(1 - MAX_PEER)}`}`;
  return `${client} ${what} "${statement}"${at}`;
}

/** Where a connection leads: a host and a port, or the path of a socket. */
export function peerOf(host: unknown, port: unknown): string | undefined {
  if (typeof host !== "string" || host === "") return undefined;
  if (host.startsWith("/") || port === undefined || port === null) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Without its midst, where it is long: how a statement begins and ends tells more, `FOR UPDATE` say. */
function shortened(text: string): string {
  if (text.length <= MAX_SHOWN) return text;
  const head = text.slice(0, Math.ceil(0.6 * MAX_SHOWN)).replace(/\S*$/, "");
  const tail = text.slice(-Math.floor(0.35 * MAX_SHOWN)).replace(/^\S*/, "");
  return `${(head || text.slice(0, Math.ceil(0.6 * MAX_SHOWN))).trimEnd()} … ${tail.trimStart()}`.trimEnd();
}
