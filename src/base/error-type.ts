import { cut, MAX_NAME, whole } from "./limits.js";

/** What is longer is no code, but a message or an ID. In characters. */
const MAX_CODE = 64;

/**
 * What OpenTelemetry's conventions call `error.type`: the error's code if that is a short text, else the name of its class, and `_OTHER` of
 * what has neither. Anything can be thrown, also what throws when it is looked at; this never does.
 */
export function errorType(error: unknown): string {
  if ((typeof error !== "object" && typeof error !== "function") || error === null) return "_OTHER";
  const code = textIn(error, "code");
  if (code !== undefined && code.length <= MAX_CODE) return whole(code);
  const name = textIn(error, "name");
  // A class that doesn't set it inherits the name of what it extends.
  const own = name === undefined || name === "Error" ? classOf(error) : undefined;
  return cut(whole(own ?? name ?? "_OTHER"), MAX_NAME);
}

function classOf(error: object): string | undefined {
  try {
    return textIn((error as { readonly constructor?: unknown }).constructor, "name");
  } catch {
    return undefined;
  }
}

/** A property of what was thrown, if it is a text that isn't empty. Never throws. */
export function textIn(of: unknown, key: "code" | "name" | "message" | "stack"): string | undefined {
  try {
    const value = (of as Partial<Record<typeof key, unknown>> | null | undefined)?.[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  } catch {
    return undefined;
  }
}
