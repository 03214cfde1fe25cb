import { expect, it } from "vitest";
import { choose, fillIn, ownValues } from "./grafana.js";

const SPAN = { from: 1_000, to: 1_120, stepSeconds: 1 };
const OWN = ownValues(SPAN, 500);

it("a rate's interval holds four scrapes, or a point's width and one scrape more", () => {
  expect(fillIn("rate(a[$__rate_interval])", OWN)).toBe("rate(a[2000ms])");
  expect(fillIn("rate(a[$__rate_interval])", ownValues({ ...SPAN, stepSeconds: 30 }, 500))).toBe(
    "rate(a[30500ms])",
  );
});

it("a point is never narrower than a scrape", () => {
  expect(ownValues({ ...SPAN, stepSeconds: 0.1 }, 500).get("__interval")).toBe("500ms");
});

it("variables are filled in, however they are written", () => {
  const values = new Map([...OWN, ["job", "shop"]]);
  expect(fillIn(`a{b=~"$job", c="\${job}", d="[[job]]", e=~"\${job:regex}"}[$__range]`, values)).toBe(
    'a{b=~"shop", c="shop", d="shop", e=~"shop"}[120000ms]',
  );
  expect(fillIn('label_replace(a, "b", "$1", "c", "(.*)")', values)).toContain('"$1"');
  expect(() => fillIn("$jobs", values)).toThrow("it is unknown what $jobs is");
});

it("a variable's query may have the choice of those before it, and all of its values are chosen", async () => {
  const asked: unknown[] = [];
  const prometheus = {
    async labelValues(label: string, selector: string | undefined) {
      asked.push([label, selector]);
      return label === "job" ? ["a.b", "c"] : [];
    },
  };
  const list = [
    { name: "datasource", type: "datasource" },
    { name: "job", type: "query", query: { query: "label_values(up, job)" } },
    {
      name: "queue",
      type: "query",
      query: 'label_values(queue_depth{job=~"$job"}, queue_name)',
      allValue: ".*",
    },
    { name: "any", type: "query", query: "label_values(instance)" },
  ];
  const { values, problems } = await choose({ templating: { list } }, prometheus, SPAN, OWN);
  expect(asked).toEqual([
    ["job", "up"],
    ["queue_name", 'queue_depth{job=~"(a\\\\.b|c)"}'],
    ["instance", undefined],
  ]);
  expect(values.get("queue")).toBe(".*");
  expect(problems).toEqual([
    'variable "queue" has no values: label_values(queue_depth{job=~"$job"}, queue_name)',
    'variable "any" has no values: label_values(instance)',
  ]);
});
