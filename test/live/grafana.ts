import type { Asking, Variable } from "../grafana/dashboards.js";
import type { Prometheus, Span } from "./prometheus.js";

/** Values of a dashboard's variables, as they stand in a query in place of `$name`. */
export type Values = ReadonlyMap<string, string>;

/**
 * Fills in what Grafana knows by itself. Its minimal interval is that of the datasource, which is the interval of the scrapes;
 * `$__rate_interval` holds four of them.
 */
export function ownValues({ from, to, stepSeconds }: Span, scrapeMs: number): Values {
  const rangeMs = Math.round((to - from) * 1_000);
  const intervalMs = Math.max(Math.round(stepSeconds * 1_000), scrapeMs);
  return new Map([
    ["__interval", `${intervalMs}ms`],
    ["__interval_ms", `${intervalMs}`],
    ["__rate_interval", `${Math.max(intervalMs + scrapeMs, 4 * scrapeMs)}ms`],
    ["__range", `${rangeMs}ms`],
    ["__range_ms", `${rangeMs}`],
    ["__range_s", `${Math.round(rangeMs / 1_000)}`],
  ]);
}

/** In each way that Grafana has to write a variable: `$name`, `${name}`, `${name:format}`, `[[name]]`. */
export function fillIn(text: string, values: Values): string {
  return text.replace(
    /\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]/g,
    (all, ...[plain, braced, bracketed]: string[]) => {
      const name = plain ?? braced ?? bracketed ?? "";
      // A group of a regular expression, as in label_replace.
      if (/^\d+$/.test(name)) return all;
      const value = values.get(name);
      if (value === undefined) throw new Error(`it is unknown what ${all} is, in ${text}`);
      return value;
    },
  );
}

/** Labels that there are only where targets are discovered. */
const DISCOVERED = ["cluster", "namespace"];

/** Asks for the values of every variable, in order, as each may be in the query of the next; of all values, all are chosen. */
export async function choose(
  { templating }: Pick<Asking, "templating">,
  prometheus: Pick<Prometheus, "labelValues">,
  span: Span,
  own: Values,
): Promise<{ values: Values; problems: string[] }> {
  const values = new Map(own);
  const problems: string[] = [];
  for (const variable of templating.list) {
    if (variable.type === "datasource") continue;
    if (variable.type === "custom") {
      values.set(variable.name, `${variable.current!.value}`);
      continue;
    }
    const options = await optionsOf(variable, values, prometheus, span);
    if (options.length === 0 && !DISCOVERED.includes(variable.name))
      problems.push(`variable "${variable.name}" has no values: ${queryOf(variable)}`);
    values.set(variable.name, variable.allValue ?? anyOf(options));
  }
  return { values, problems };
}

async function optionsOf(
  variable: Variable,
  values: Values,
  prometheus: Pick<Prometheus, "labelValues">,
  span: Span,
): Promise<string[]> {
  const query = fillIn(queryOf(variable), values);
  const [, selector, label] = /^label_values\((?:(.+),\s*)?(\w+)\)$/s.exec(query) ?? [];
  if (label === undefined)
    throw new Error(`variable "${variable.name}" asks what is not understood: ${query}`);
  return prometheus.labelValues(label, selector, span);
}

function queryOf({ query = "" }: Variable): string {
  return typeof query === "string" ? query : query.query;
}

/** As Grafana writes several values into a query for Prometheus. */
function anyOf(options: readonly string[]): string {
  const escaped = options.map((option) => option.replace(/[.*+?^${}()|[\]\\]/g, "\\\\$&"));
  return escaped.length === 1 ? escaped[0]! : `(${escaped.join("|")})`;
}
