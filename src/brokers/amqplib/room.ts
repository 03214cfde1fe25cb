import { isObject } from "./message.js";

/** A message's other properties, each at its longest, and the frame around them. In bytes. */
const OTHER_PROPERTIES = 2_304;
/** More than amqplib ever writes into the frame of a message's headers. In bytes. */
const MAX_FRAME = 65_536 + OTHER_PROPERTIES;
/** Nothing that is meant to be sent is nested as deep. */
const MAX_DEPTH = 32;

/**
 * Throws a `RangeError` where the headers may not fit into one frame of the connection, which amqplib doesn't check: the broker would close the
 * connection. Costs one comparison, unless the user has set `frameMax` lower than the default of 128 KiB.
 */
export function checkRoom(channel: object, options: unknown): void {
  const { frameMax } = (channel as { connection?: { frameMax?: unknown } }).connection ?? {};
  if (typeof frameMax !== "number" || frameMax >= MAX_FRAME || !isObject(options)) return;
  const room = frameMax - OTHER_PROPERTIES;
  if (sizeOf(options.headers, room, 0) > room) throw new RangeError("no room in the frame");
}

/** At least what a value takes in a table of AMQP's, in bytes; it is enough to know that it is too much. */
function sizeOf(value: unknown, room: number, depth: number): number {
  if (typeof value === "string") return 5 + Buffer.byteLength(value);
  if (!isObject(value)) return 9;
  if (Buffer.isBuffer(value)) return 5 + value.length;
  if (depth > MAX_DEPTH) return Number.POSITIVE_INFINITY;
  let size = 5;
  for (const name in value) {
    size += 1 + Buffer.byteLength(name) + sizeOf(value[name], room - size, depth + 1);
    if (size > room) break;
  }
  return size;
}
