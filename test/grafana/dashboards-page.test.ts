import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { DASHBOARDS, uidOf } from "../../grafana/build/links.js";
import { committed, NAMES, panelsOf } from "./dashboards.js";

const PAGE = readFileSync("docs/dashboards.md", "utf8");

/** The alerts of all rule files, with the dashboard that each leads to. */
function alerts(): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of readdirSync("grafana/rules").filter((name) => name.endsWith(".yml"))) {
    const { groups } = parse(readFileSync(`grafana/rules/${file}`, "utf8")) as {
      groups: { rules: { alert?: string; annotations?: { dashboard_url?: string } }[] }[];
    };
    for (const { alert, annotations } of groups.flatMap(({ rules }) => rules)) {
      if (alert !== undefined)
        found.set(alert, /\/d\/([\w-]+)/.exec(annotations?.dashboard_url ?? "")?.[1] ?? "");
    }
  }
  return found;
}

/** The cells of the table under this heading, its head left out. */
function tableUnder(heading: string): string[][] {
  const part = PAGE.split(`## ${heading}\n`)[1]!.split("\n## ")[0]!;
  const rows = part.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

it("the page has every row of every dashboard, in their order", () => {
  let dashboard = "";
  const told = tableUnder("What they show").map(([name, row]) => {
    dashboard = name || dashboard;
    return [dashboard, row];
  });
  const there = NAMES.flatMap((name) =>
    committed(name)
      .panels.filter(({ type }) => type === "row")
      .map(({ title }) => [DASHBOARDS[name], title]),
  );
  expect(told).toEqual(there);
});

it("the page leads from each alert to a panel of the dashboard that the alert links to", () => {
  const table = tableUnder("From an alert to a panel");
  const rules = alerts();
  expect(table.map(([alert]) => alert).sort()).toEqual([...rules.keys()].sort());
  for (const [alert, title, panel] of table) {
    const name = NAMES.find((each) => DASHBOARDS[each] === title)!;
    expect(rules.get(alert!), alert).toBe(uidOf(name));
    expect(panelsOf(committed(name)).map((each) => each.title)).toContain(panel);
  }
});
