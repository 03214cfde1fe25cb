const DEFAULT_PORT: Record<string, string> = { "http:": ":80", "https:": ":443" };
const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi;
/** A part of a path that looks random may be a secret from this length on, in characters. */
const SECRET_LENGTH = 24;
const MAX_CHARACTERS = 120;
/** How much of a path is looked at, in characters. */
const MAX_PATH = 1_000;

/** `POST api.example.com/v1/charges`. What follows the path is left out, and so are parts of it that look like keys. */
export function requestLabel(method: string, protocol: string, host: string, path: string): string {
  const port = DEFAULT_PORT[protocol];
  const place = port !== undefined && host.endsWith(port) ? host.slice(0, -port.length) : host;
  const begun = path.slice(0, MAX_PATH);
  const end = begun.search(/[?#]/);
  const parts = (end === -1 ? begun : begun.slice(0, end)).split("/");
  return short(`${method} ${place}${parts.map((part) => (isSecret(part) ? ":secret" : part)).join("/")}`);
}

/** Labels that differ in numbers and IDs only are the same in this form: `/orders/123` and `/orders/7` are `/orders/:id`. */
export function normalised(label: string): string {
  // Fast path: most labels have none, and a report has many tasks.
  if (!/\d/.test(label)) return label;
  return (
    label
      .replace(UUID, ":id")
      .replace(/(?<![\w.-])[\w-]{12,}(?![\w.-])/g, (part) => (isRandom(part) ? ":id" : part))
      // Neither ports nor parts of host names and versions.
      .replace(/(?<=^|[\s/#=(["'_-])\d+(?=$|[\s/,;)\]"'&])/g, ":id")
  );
}

/** A part that looks random, and is long enough for a key. */
export function isSecret(part: string): boolean {
  return part.length >= SECRET_LENGTH && isRandom(part) && part.replace(UUID, "").length >= SECRET_LENGTH;
}

/** Letters and several digits, mixed. */
function isRandom(part: string): boolean {
  return /[a-z]/i.test(part) && (part.match(/\d/g)?.length ?? 0) >= 3;
}

/** Cuts what is longer than a line. */
export function short(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 1)}…`;
}
