/**
 * A foreign text on one line of a terminal or a log: cut, and with whatever could begin a line, move the cursor, hide or turn
 * around what follows (control, format and separator characters, halves of surrogate pairs) written as `\u000a`.
 *
 * Runs in the thread, too: its source is sent there, so it refers to nothing outside.
 */
export function shown(text: string, most = 80): string {
  const cut = text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…`;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (each) => {
    const code = each.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
  });
}
