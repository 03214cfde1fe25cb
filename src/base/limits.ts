import { InvalidOptionRangeError, InvalidOptionTypeError } from "./errors.js";

/**
 * How long texts of the user's may be, in UTF-16 units: they are kept, and stand in metrics, spans and reports. Longer names are
 * refused; of longer IDs and steps what is beyond is cut off, with a `…` at the end.
 */
export const MAX_NAME = 255;
export const MAX_CORRELATION_ID = 256;
export const MAX_STEP = 500;

/** The text, if it is no longer than that; else as much of it as that, the last character being `…`. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const begun = text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "");
  // A slice would hold the whole text.
  return `${Buffer.from(begun, "utf16le").toString("utf16le")}…`;
}

/** Half of a surrogate pair: in UTF-8 all of them are the same replacement character, and names that differ in them only are one. */
const HALF = /\p{Cs}/gu;

/** The text, with a replacement character for each half of a surrogate pair. */
export function whole(text: string): string {
  return text.replace(HALF, "\ufffd");
}

/** Throws an `InvalidOption…Error` unless it is a text with characters, and a name that {@link checkText} takes. */
export function checkName(option: string, value: unknown): string {
  if (typeof value !== "string") throw new InvalidOptionTypeError(option, value, "a string");
  if (value === "") throw new InvalidOptionRangeError(option, value, "a string with at least one character");
  return checkText(option, value);
}

/** Throws an `InvalidOptionRangeError` if a name is too long, or has halves of surrogate pairs. */
export function checkText(option: string, name: string): string {
  if (name.length > MAX_NAME) {
    throw new InvalidOptionRangeError(option, name, `a string of at most ${MAX_NAME} characters`);
  }
  if (whole(name) !== name) {
    throw new InvalidOptionRangeError(
      option,
      name,
      "a string of whole characters, without halves of surrogate pairs",
    );
  }
  return name;
}
