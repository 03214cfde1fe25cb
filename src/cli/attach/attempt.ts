/** What `read` gives, or undefined where it throws: what can't be read is not known. */
export function attempt<R>(read: () => R): R | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
