import { parser } from "@prometheus-io/lezer-promql";

type SyntaxNode = ReturnType<typeof parser.parse>["topNode"];

/** One change to an expression. */
export interface Change {
  /** Names it, in words; no two of an expression have the same. */
  readonly what: string;
  readonly expr: string;
}

/** What an operator, function or aggregation is replaced by, each in turn. */
const INSTEAD: Readonly<Record<string, readonly string[]>> = {
  ">": [">=", "<"],
  ">=": [">", "<"],
  "<": ["<=", ">"],
  "<=": ["<", ">"],
  "==": ["!="],
  "!=": ["=="],
  and: ["or", "unless"],
  or: ["and", "unless"],
  unless: ["and"],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  sum: ["max", "min"],
  max: ["min", "sum"],
  min: ["max"],
  avg: ["sum"],
  group: [],
  rate: ["increase"],
  irate: ["rate"],
  increase: ["rate"],
  changes: ["resets"],
  max_over_time: ["min_over_time", "last_over_time"],
  avg_over_time: ["max_over_time", "min_over_time"],
  last_over_time: ["max_over_time", "min_over_time"],
  present_over_time: ["absent_over_time"],
  sum_over_time: ["count_over_time"],
};
const MATCHERS: Readonly<Record<string, string>> = { "=": "!=", "!=": "=", "=~": "!~", "!~": "=~" };
const LOGICAL = ["And", "Or", "Unless"];

/** Every expression that differs from this one in one place. Some may be no PromQL any more, for lack of labels to match by. */
export function mutantsOfPromql(expr: string): Change[] {
  const changes: Change[] = [];
  const add = ({ from, to }: { from: number; to: number }, text: string, what?: string) => {
    const before = expr.slice(from, to);
    const line = expr.slice(0, from).split("\n").length;
    const place = `${line}:${from - expr.lastIndexOf("\n", from - 1)}`;
    changes.push({
      what: `${place} ${what ?? `${oneLine(before)} → ${text === "" ? "nothing" : text}`}`,
      expr: expr.slice(0, from) + text + expr.slice(to),
    });
  };
  parser.parse(expr).iterate({
    enter({ name, node }) {
      const text = expr.slice(node.from, node.to);
      if (name === "NumberDurationLiteral") {
        for (const other of otherNumbers(Number(text))) add(node, String(other));
      } else if (name === "NumberDurationLiteralInDurationContext") {
        for (const factor of [0.5, 2]) add(node, scaled(text, factor));
      } else if (name === "OffsetExpr") {
        add(node, expr.slice(node.from, node.firstChild!.to), "without offset");
      } else if (name === "UnquotedLabelMatcher") {
        matcher(node);
      } else if (name === "GroupingLabels") {
        grouping(node);
      } else if (name === "BinaryExpr" && LOGICAL.some((each) => node.getChild(each) !== null)) {
        operands(node);
      }
      if (node.firstChild === null && Object.hasOwn(INSTEAD, text)) {
        for (const other of INSTEAD[text]!) if (!isEquivalent(node, text, other, expr)) add(node, other);
      }
    },
  });
  return changes;

  function matcher(node: SyntaxNode): void {
    add(withComma(node, expr), "", `without ${expr.slice(node.from, node.to)}`);
    const op = node.getChild("MatchOp")!;
    add(op, MATCHERS[expr.slice(op.from, op.to)]!, `${expr.slice(node.from, node.to)} negated`);
    const value = node.getChild("StringLiteral")!;
    const alternatives = expr.slice(value.from + 1, value.to - 1).split("|");
    if (alternatives.length === 1) return;
    for (const each of alternatives) {
      const others = alternatives.filter((other) => other !== each);
      add(value, `"${others.join("|")}"`, `without ${each}`);
    }
  }

  function grouping(node: SyntaxNode): void {
    for (const label of node.getChildren("LabelName")) {
      const name = expr.slice(label.from, label.to);
      // That these are in each list is held by test/grafana/rules.test.ts.
      if (name === "cluster" || name === "namespace") continue;
      add(withComma(label, expr), "", `without ${name} in ${expr.slice(node.prevSibling!.from, node.to)}`);
    }
  }

  function operands(node: SyntaxNode): void {
    const [left, right] = [node.firstChild!, node.lastChild!];
    add({ from: left.to, to: node.to }, "", `without ${oneLine(expr.slice(left.to, node.to))}`);
    if (node.getChild("Or") !== null) {
      add({ from: node.from, to: right.from }, "", `without ${oneLine(expr.slice(node.from, right.from))}`);
    }
  }
}

/** Of counts that are never negative, the sum is 0 just when the greatest is; and a rate is when the increase is. */
function isEquivalent(node: SyntaxNode, text: string, other: string, expr: string): boolean {
  if (`${text} ${other}` !== "sum max" && `${text} ${other}` !== "rate increase") return false;
  for (let outer = node.parent; outer !== null; outer = outer.parent) {
    if (outer.name !== "BinaryExpr") continue;
    return outer.from <= node.from && /(==|>)\s*0$/.test(expr.slice(outer.from, outer.to));
  }
  return false;
}

function otherNumbers(value: number): number[] {
  if (value === 0) return [1];
  return [0.9, 1.1].map((factor) => Number((value * factor).toPrecision(6)));
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A duration as Prometheus writes it, longer or shorter: `1h` and 0.5 are `1800s`. */
export function scaled(duration: string, factor: number): string {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  if (unit === undefined) throw new Error(`this is no simple duration: ${duration}`);
  return `${Number(count) * UNITS[unit]! * factor}s`;
}

/** The place of one of a list, and of the comma that would be left behind. */
function withComma({ from, to }: { from: number; to: number }, expr: string): { from: number; to: number } {
  const after = /^\s*,\s*/.exec(expr.slice(to));
  if (after !== null) return { from, to: to + after[0].length };
  const before = /,\s*$/.exec(expr.slice(0, from));
  return { from: from - (before?.[0].length ?? 0), to };
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
}
