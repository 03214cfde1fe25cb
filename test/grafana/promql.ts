import { parser } from "@prometheus-io/lezer-promql";
import { KNOWN_SERIES, KNOWN_VALUES, type Series } from "./known-series.js";
import { childrenOf, filledIn, type SyntaxNode, selectorAt, selectorsIn, unquoted } from "./selectors.js";

export { filledIn, type Selector, selectorsOf } from "./selectors.js";

/** What recording rules add to the series that there are. */
export type MoreSeries = ReadonlyMap<string, Series>;

/** What is wrong with the expression: it doesn't parse, or asks for metrics or labels that there aren't. */
export function problemsOf(expr: string, more?: MoreSeries): string[] {
  return new Reading(filledIn(expr), more).problems;
}

/** The labels that the expression's result may have: what a legend or an annotation may name. */
export function labelsOf(expr: string, more?: MoreSeries): string[] {
  return [...new Reading(filledIn(expr), more).labels];
}

/** The labels of a vector, or that it is none. */
type Labels = ReadonlySet<string> | "scalar";

const SCALARS = ["scalar", "time", "pi", "start", "end", "range", "step"];
const OF_COUNTERS = ["rate", "irate", "increase", "resets"];
const OF_GAUGES = [
  "delta",
  "idelta",
  "deriv",
  "predict_linear",
  "holt_winters",
  "double_exponential_smoothing",
];
const KEEP_LABELS = ["topk", "bottomk", "limitk", "limit_ratio"];
const LOGICAL = ["And", "Or", "Unless"];

/** Follows labels through an expression, from the selectors to the result. */
class Reading {
  readonly problems: string[] = [];
  readonly labels: ReadonlySet<string>;

  constructor(
    private readonly text: string,
    private readonly more: MoreSeries = new Map(),
  ) {
    const tree = parser.parse(text);
    tree.iterate({
      enter: ({ type, from }) => {
        if (type.isError) this.problems.push(`doesn't parse at ${from}: ${text.slice(from) || "its end"}`);
      },
    });
    const root = tree.topNode.firstChild;
    const labels = root === null || this.problems.length > 0 ? new Set<string>() : this.read(root);
    this.labels = labels === "scalar" ? new Set() : labels;
  }

  private read(node: SyntaxNode): Labels {
    switch (node.name) {
      case "VectorSelector":
        return this.selector(node);
      case "AggregateExpr":
        return this.aggregate(node);
      case "BinaryExpr":
        return this.binary(node);
      case "FunctionCall":
        return this.call(node);
      case "NumberDurationLiteral":
      case "StringLiteral":
        return "scalar";
      default: {
        // Parentheses, signs, ranges, offsets and the like pass on what they are about.
        const inner = childrenOf(node).find(isExpression);
        return inner === undefined ? "scalar" : this.read(inner);
      }
    }
  }

  private selector(node: SyntaxNode): Labels {
    const { metric, matchers } = selectorAt(node, this.text);
    const series = this.seriesOf(metric);
    if (series === undefined) {
      this.problems.push(`${metric || this.of(node)} is no metric${hint(metric)}`);
      return new Set(matchers.map(({ label }) => label));
    }
    for (const { label, value } of matchers) {
      // Of an alternation, each; of other regular expressions, nothing is said.
      for (const each of /[^\w|-]/.test(value) ? [] : value.split("|")) {
        const values = KNOWN_VALUES.get(label) ?? [each];
        // What has no such label at all.
        if (each !== "" && !values.includes(each))
          this.problems.push(`${label} is never "${each}", only ${values.join(", ")}`);
      }
      if (label === "le")
        this.problems.push(`${metric} is selected by le, which Prometheus 3 writes differently`);
      if (label !== "__name__") this.expect(label, new Set(series.labels), metric);
    }
    const absent = matchers.filter(({ op, value }) => op === "=" && value === "").map(({ label }) => label);
    return new Set(series.labels.filter((label) => !absent.includes(label)));
  }

  private aggregate(node: SyntaxNode): Labels {
    const operator = this.of(node.getChild("AggregateOp")!).toLowerCase();
    const operands = argumentsOf(node);
    const operand = operands.at(-1);
    const of = operand === undefined ? "scalar" : this.read(operand);
    if (of === "scalar" || operand === undefined) return new Set();
    const modifier = node.getChild("AggregateModifier");
    const listed = modifier === null ? [] : this.listed(modifier);
    for (const label of listed) this.expect(label, of, this.of(operand));
    if (KEEP_LABELS.includes(operator)) return of;
    const kept = new Set(
      modifier?.getChild("Without") ? [...of].filter((each) => !listed.includes(each)) : listed,
    );
    if (of.has("le") && !kept.has("le") && operator === "sum") {
      this.problems.push(`${this.of(node)} adds up buckets, each of which has those below in it`);
    }
    if (operator === "count_values") kept.add(this.string(operands[0]));
    return kept;
  }

  private binary(node: SyntaxNode): Labels {
    const [leftNode, rightNode] = childrenOf(node).filter(isExpression);
    const left = this.read(leftNode!);
    const right = this.read(rightNode!);
    if (left === "scalar") return right;
    if (right === "scalar") return left;
    const clause = node.getChild("MatchingModifierClause");
    const on = clause?.getChild("On") ? this.listed(clause) : undefined;
    const ignoring = clause?.getChild("Ignoring") ? this.listed(clause) : undefined;
    for (const label of on ?? []) {
      this.expect(label, left, this.of(leftNode!));
      this.expect(label, right, this.of(rightNode!));
    }
    for (const label of ignoring ?? []) this.expect(label, new Set([...left, ...right]), this.of(node));
    const logical = LOGICAL.find((each) => node.getChild(each) !== null);
    const many = clause?.getChild("GroupLeft") ?? clause?.getChild("GroupRight");
    if (on === undefined && logical !== "Or" && !many) this.expectEqual(left, right, ignoring ?? [], node);
    if (logical === "Or") return new Set([...left, ...right]);
    if (logical !== undefined) return left;
    if (many) {
      const one = many.name === "GroupLeft" ? right : left;
      const taken = this.listed(clause!, 1);
      for (const label of taken) this.expect(label, one, "the one side");
      return new Set([...(one === right ? left : right), ...taken]);
    }
    if (on !== undefined) return new Set(on);
    return new Set([...left].filter((each) => !ignoring?.includes(each)));
  }

  private call(node: SyntaxNode): Labels {
    const name = this.of(node.getChild("FunctionIdentifier")!);
    const args = argumentsOf(node);
    const read = args.map((each) => this.read(each));
    const vector = read.find((each) => each !== "scalar");
    const counter = selectorsIn(args).map((each) => this.seriesOf(selectorAt(each, this.text).metric)?.kind);
    if (OF_COUNTERS.includes(name) && counter[0] === "gauge") {
      this.problems.push(`${this.of(node)}: ${name} is for counters, and this is a gauge`);
    }
    if (OF_GAUGES.includes(name) && counter[0] === "counter" && args[0]?.name === "MatrixSelector") {
      this.problems.push(`${this.of(node)}: ${name} is for gauges, and this is a counter`);
    }
    if (SCALARS.includes(name)) return "scalar";
    if (vector === undefined) return new Set();
    if (name === "histogram_quantile") {
      this.expect("le", vector, this.of(node));
      return new Set([...vector].filter((each) => each !== "le"));
    }
    if (name === "label_replace") {
      this.expect(this.string(args[3]), vector, this.of(args[0]!));
      return new Set([...vector, this.string(args[1])]);
    }
    if (name === "label_join") {
      for (const label of args.slice(3)) this.expect(this.string(label), vector, this.of(args[0]!));
      return new Set([...vector, this.string(args[1])]);
    }
    if (name.startsWith("absent")) {
      const matchers = selectorsIn(args).flatMap((each) => selectorAt(each, this.text).matchers);
      return new Set(matchers.filter(({ op }) => op === "=").map(({ label }) => label));
    }
    return vector;
  }

  private seriesOf(metric: string): Series | undefined {
    return KNOWN_SERIES.get(metric) ?? this.more.get(metric);
  }

  private expect(label: string, labels: Labels, of: string): void {
    if (labels === "scalar" || labels.has(label)) return;
    this.problems.push(`${of} has no label ${label}, only ${[...labels].join(", ") || "none at all"}`);
  }

  /** Without `on`, two vectors only find each other where they have the same labels. */
  private expectEqual(left: Labels, right: Labels, ignoring: readonly string[], node: SyntaxNode): void {
    const differing = [...new Set([...left, ...right])].filter(
      (each) =>
        !ignoring.includes(each) && (left as Set<string>).has(each) !== (right as Set<string>).has(each),
    );
    if (differing.length === 0) return;
    this.problems.push(`${this.of(node)} never matches: only one side has ${differing.join(", ")}`);
  }

  /** The labels of the modifier's list; of the second, of `group_left`'s, with `index` 1. */
  private listed(modifier: SyntaxNode, index = 0): string[] {
    const list = modifier.getChildren("GroupingLabels")[index];
    return list === undefined ? [] : childrenOf(list).map((label) => unquoted(this.of(label)));
  }

  private string(node: SyntaxNode | undefined): string {
    return node === undefined ? "" : unquoted(this.of(node));
  }

  private of(node: SyntaxNode): string {
    return this.text.slice(node.from, node.to);
  }
}

/** Says what was probably meant. */
function hint(metric: string): string {
  const base = metric.replace(/_(?:total|bucket|sum|count)$/, "");
  const near = [...KNOWN_SERIES.keys()].filter(
    (each) => each.replace(/_(?:total|bucket|sum|count)$/, "") === base,
  );
  return near.length === 0 ? "" : `; there is ${near.join(", ")}`;
}

function argumentsOf(node: SyntaxNode): SyntaxNode[] {
  const body = node.getChild("FunctionCallBody");
  return body === null ? [] : childrenOf(body);
}

function isExpression({ name }: SyntaxNode): boolean {
  return (
    /(?:Expr|Selector|Call)$|^NumberDurationLiteral$|^StringLiteral$/.test(name) && name !== "DurationExpr"
  );
}
