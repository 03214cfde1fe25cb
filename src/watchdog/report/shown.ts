/**
 * A text of somebody else's on one line of a terminal: cut, and with what could begin a line or move the cursor written as `\u000a`.
 *
 * Runs in the thread, too: its source is sent there, so it refers to nothing outside.
 */
export function shown(text: string, most = 80): string {
  const cut = text.length <= most ? text : `${text.slice(0, most - 1)}…`;
  return cut.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
