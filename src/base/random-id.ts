let make: (() => string) | undefined;

/** A random ID, as `crypto.randomUUID`. That module takes milliseconds to load, so it is loaded with the first ID. */
export function randomId(): string {
  make ??= process.getBuiltinModule("node:crypto").randomUUID;
  return make();
}
