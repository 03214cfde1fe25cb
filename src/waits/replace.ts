import { type Method, replaceMethod } from "../base/replace-method.js";

/**
 * Puts a method in the place of another one; what it throws itself must not reach the caller. Returns the way back, or undefined where there
 * is no such method, or none that can be replaced.
 */
export function replace(
  target: object,
  name: string,
  make: (original: Method) => Method,
): (() => void) | undefined {
  try {
    const original = (target as Record<string, unknown>)[name];
    if (typeof original !== "function") return undefined;
    return replaceMethod(target, name, original as Method, make);
  } catch {
    return undefined;
  }
}
