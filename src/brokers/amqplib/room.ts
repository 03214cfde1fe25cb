import { isObject } from "./message.js";

/** A message's other properties, each at its longest, and the frame around them. In bytes. */
const OTHER_PROPERTIES = 2_304;
/** More than amqplib ever writes into the frame of a message's headers. In bytes. */
const MAX_FRAME = 65_536 + OTHER_PROPERTIES;
/** Nothing that is meant to be sent is nested as deep. */
const MAX_DEPTH = 32;

/**
 * Whether the headers surely fit into one frame of so many bytes. If they don't, amqplib sends them all the same, and the broker closes the connection;
 * rabbitmq-client closes the channel. Costs one comparison where frames are as large as amqplib's, 128 KiB.
 */
export function hasRoom(frameMax: unknown, headers: unknown): boolean {
  if (typeof frameMax !== "number" || frameMax >= MAX_FRAME) return true;
  const room = frameMax - OTHER_PROPERTIES;
  return sizeOf(headers, room, 0) <= room;
}

/** At least what a value takes in a table of AMQP's, in bytes. Where it is too much for the room, it is enough to know that. */
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
