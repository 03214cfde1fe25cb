import { type DataFrame, type FieldDTO, FieldType, toDataFrame } from "@grafana/data";
import type { Panel, Target } from "./dashboard.js";
import { FROM, interpolated, stepFor, TO } from "./settings.js";

interface Series {
  readonly metric: Readonly<Record<string, string>>;
}
type Sample = readonly [seconds: number, value: string];

/** What Prometheus answers to the panel's queries, as Grafana's datasource gives it. `pixels` is the panel's width. */
export async function framesOf(panel: Panel, pixels: number): Promise<DataFrame[]> {
  const frames: DataFrame[] = [];
  for (const target of panel.targets ?? []) {
    const step = stepFor(pixels, target.interval);
    const expr = interpolated(target.expr, step);
    if (!target.instant || target.range) frames.push(...(await graph(target, expr, step)));
    else if (target.format === "table")
      frames.push(...(await table(target, expr, panel.targets!.length > 1)));
    else frames.push(...(await figures(target, expr)));
  }
  return frames;
}

async function graph(target: Target, expr: string, step: number): Promise<DataFrame[]> {
  const start = Math.floor(FROM / step) * step;
  const found = await ask<Series & { values: Sample[] }>("query_range", {
    query: expr,
    start: `${start}`,
    end: `${TO}`,
    step: `${step}`,
  });
  const times = Array.from({ length: Math.floor((TO - start) / step) + 1 }, (_, i) => start + i * step);
  return found.map(({ metric, values }) => {
    const at = new Map(values.map(([seconds, text]) => [Math.round(seconds), finite(text)]));
    return frame(target, [
      {
        name: "Time",
        type: FieldType.time,
        values: times.map((seconds) => seconds * 1000),
        config: { interval: step * 1000 },
      },
      valueField(
        target,
        metric,
        times.map((seconds) => at.get(seconds) ?? null),
      ),
    ]);
  });
}

async function figures(target: Target, expr: string): Promise<DataFrame[]> {
  const found = await instant(expr);
  return found.map(({ metric, value: [seconds, text] }) =>
    frame(target, [
      { name: "Time", type: FieldType.time, values: [seconds * 1000] },
      valueField(target, metric, [finite(text)]),
    ]),
  );
}

async function table(target: Target, expr: string, isOneOfMany: boolean): Promise<DataFrame[]> {
  const found = await instant(expr);
  if (found.length === 0) return [];
  const labels = [...new Set(found.flatMap(({ metric }) => Object.keys(metric)))].sort();
  return [
    frame(target, [
      { name: "Time", type: FieldType.time, values: found.map(({ value: [seconds] }) => seconds * 1000) },
      ...labels.map((name) => ({
        name,
        type: FieldType.string,
        values: found.map(({ metric }) => metric[name] ?? ""),
      })),
      {
        name: isOneOfMany ? `Value #${target.refId}` : "Value",
        type: FieldType.number,
        values: found.map(({ value: [, text] }) => finite(text)),
      },
    ]),
  ];
}

function instant(expr: string) {
  return ask<Series & { value: Sample }>("query", { query: expr, time: `${TO}` });
}

function frame({ refId }: Target, fields: FieldDTO[]): DataFrame {
  return toDataFrame({ refId, fields });
}

function valueField(target: Target, labels: Series["metric"], values: (number | null)[]): FieldDTO {
  const config = { displayNameFromDS: legend(target.legendFormat, labels) };
  return { name: "Value", type: FieldType.number, labels: { ...labels }, values, config };
}

function legend(format: string | undefined, { __name__, ...labels }: Series["metric"]): string {
  if (format === undefined || format === "" || format === "__auto") {
    return `{${Object.entries(labels).map(([name, value]) => `${name}="${value}"`)}}`;
  }
  return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => labels[name] ?? name);
}

/** What is no number, or has no end, is no value to Grafana. */
function finite(text: string): number | null {
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

async function ask<T>(path: string, parameters: Record<string, string>): Promise<readonly T[]> {
  const response = await fetch(`/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const { status, data, error } = (await response.json()) as {
    status: string;
    error?: string;
    data: { resultType: string; result: T[] };
  };
  if (status !== "success") throw new Error(error);
  // A scalar has no labels, and no series.
  return data.resultType === "scalar" ? [{ metric: {}, value: data.result } as T] : data.result;
}
