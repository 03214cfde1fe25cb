import { parser } from "@prometheus-io/lezer-promql";

export type SyntaxNode = ReturnType<typeof parser.parse>["topNode"];

/** Matches one series or several: a metric's name, and what its labels must be. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { label: string; op: string; value: string }[];
  /** As it stands in the expression, Grafana's variables filled in, without range and offset. */
  readonly text: string;
}

/** A value that Grafana may put where its variable stands. */
const FILLED_IN: readonly [RegExp, string][] = [
  [/\$__(?:rate_)?interval\b|\$\{__(?:rate_)?interval\}|\$__range\b|\$\{__range\}/g, "5m"],
  [/\$top\b|\$__range_s\b|\$\{__(?:range|interval)_(?:s|ms)\}/g, "300"],
  // `$1` of label_replace stays.
  [/\$[A-Za-z]\w*|\$\{[A-Za-z_]\w*(?::\w+)?\}|\[\[\w+\]\]/g, "any"],
];

/** The expression with values for Grafana's variables, as Prometheus would get it. */
export function filledIn(expr: string): string {
  return FILLED_IN.reduce((text, [variable, value]) => text.replaceAll(variable, value), expr);
}

/** Every selector of the expression, in order. */
export function selectorsOf(expr: string): Selector[] {
  const text = filledIn(expr);
  const found: Selector[] = [];
  parser.parse(text).iterate({
    enter: ({ name, node }) => {
      if (name === "VectorSelector") found.push(selectorAt(node, text));
    },
  });
  return found;
}

export function selectorAt(node: SyntaxNode, text: string): Selector {
  const of = (each: SyntaxNode) => text.slice(each.from, each.to);
  const name = node.getChild("Identifier");
  const matchers = (node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []).map(
    (each) => ({
      label: of(each.getChild("LabelName")!),
      op: of(each.getChild("MatchOp")!),
      value: unquoted(of(each.getChild("StringLiteral")!)),
    }),
  );
  const byLabel = matchers.find(({ label, op }) => label === "__name__" && op === "=")?.value;
  return { metric: name === null ? (byLabel ?? "") : of(name), matchers, text: of(node) };
}

export function selectorsIn(nodes: readonly SyntaxNode[]): SyntaxNode[] {
  return nodes.flatMap((node) => (node.name === "VectorSelector" ? [node] : selectorsIn(childrenOf(node))));
}

export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

export function unquoted(text: string): string {
  return text.replace(/^(["'`])(.*)\1$/s, "$2");
}
