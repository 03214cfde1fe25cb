import fc from "fast-check";
import { expect, it } from "vitest";
import { shown } from "../src/base/shown.js";

it.each([
  ["line feeds", "a\nb", "a\\u000ab"],
  ["carriage returns", "a\rb", "a\\u000db"],
  ["escapes", "\u001b[31mred", "\\u001b[31mred"],
  ["hyperlinks of a terminal", "\u001b]8;;http://x\u0007", "\\u001b]8;;http://x\\u0007"],
  ["controls of C1", "\u009b2J", "\\u009b2J"],
  ["separators of lines and paragraphs", "a\u2028b\u2029", "a\\u2028b\\u2029"],
  ["what turns the direction around", "a\u202eb\u2066", "a\\u202eb\\u2066"],
  ["what can't be seen", "a\u200bb\ufeff", "a\\u200bb\\ufeff"],
  ["tags beyond the basic plane", "a\u{e0041}", "a\\u{e0041}"],
  ["halves of pairs", "a\ud800b\udfff", "a\\ud800b\\udfff"],
])("%s are written, not done", (_, text, expected) => {
  expect(shown(text)).toBe(expected);
});

it("cuts no pair in half", () => {
  expect(shown("ab😀cd", 4)).toBe("ab…");
  expect(shown("ab😀cd", 5)).toBe("ab😀…");
});

it("gives one line that no terminal obeys, whatever it gets", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(shown(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
  );
});
