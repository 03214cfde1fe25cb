/*!
 * Contains acorn (https://github.com/acornjs/acorn), the parser.
 *
 * MIT License
 *
 * Copyright (C) 2012-2022 by various contributors (see AUTHORS)
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy
 * of this software and associated documentation files (the "Software"), to deal
 * in the Software without restriction, including without limitation the rights
 * to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
 * copies of the Software, and to permit persons to whom the Software is
 * furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in
 * all copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
 * AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
 * LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
 * OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
 * THE SOFTWARE.
 */
import { type Options, parse as parseWith } from "acorn";

/** A node of the syntax tree, as ESTree has it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  // biome-ignore lint/suspicious/noExplicitAny: which members there are depends on the type
  readonly [member: string]: any;
}

/** `commonjs` is the body of a function, in effect. */
export type SourceKind = "module" | "commonjs";

/** Parentheses are nodes, too. Where it isn't of the kind that it should be, the other one is tried; throws a `SyntaxError` if it is of neither. */
export function parse(code: string, kind: SourceKind): Node {
  try {
    return parseAs(code, kind);
  } catch (error) {
    try {
      return parseAs(code, kind === "module" ? "commonjs" : "module");
    } catch {
      throw error;
    }
  }
}

function parseAs(code: string, kind: SourceKind): Node {
  const options: Options = {
    ecmaVersion: "latest",
    sourceType: kind,
    preserveParens: true,
    allowHashBang: true,
  };
  return parseWith(code, options) as unknown as Node;
}

/** Calls `visit` with each child. */
export function eachChild(node: Node, visit: (child: Node, key: string) => void): void {
  for (const key in node) {
    const value = node[key] as unknown;
    if (typeof value !== "object" || value === null) continue;
    if (Array.isArray(value)) {
      for (const each of value) if (isNode(each)) visit(each, key);
    } else if (isNode(value)) visit(value, key);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

export function isFunction(node: Node): boolean {
  return (
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression"
  );
}

/** Without the parentheses around it. */
export function inner(node: Node): Node {
  let found = node;
  while (found.type === "ParenthesizedExpression") found = found.expression as Node;
  return found;
}
