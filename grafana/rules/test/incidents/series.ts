import type { Figure } from "./promtool-file.js";

/** A process, and where it runs. */
export interface Place {
  readonly job?: string;
  readonly instance?: string;
  readonly namespace?: string;
  readonly cluster?: string;
}

/** Figures of a queue in a process, by metric without `queue_`; labels beyond the queue's name stand in braces. */
export type Figures = Readonly<Record<string, Figure | number>>;

const IDLE: Figures = {
  'depth{queue_tier="regular"}': 0,
  'oldest_age_seconds{queue_tier="regular"}': 0,
  inflight: 0,
  inflight_oldest_age_seconds: 0,
  delayed: 0,
  'workers{queue_state="idle"}': 4,
  'workers{queue_state="processing"}': 0,
  'workers{queue_state="backoff"}': 0,
  'workers{queue_state="stalled"}': 0,
  'workers{queue_state="stopped"}': 0,
  'enqueued_total{queue_tier="regular"}': 0,
  'dequeued_total{queue_tier="regular"}': 0,
  'completed_total{queue_outcome="success"}': 0,
  'completed_total{queue_outcome="failure"}': 0,
  'process_seconds_sum{queue_outcome="success"}': 0,
  'process_seconds_count{queue_outcome="success"}': 0,
  'process_seconds_sum{queue_outcome="failure"}': 0,
  'process_seconds_count{queue_outcome="failure"}': 0,
  dead_lettered_total: 0,
  retried_total: 0,
  'dropped_total{queue_tier="regular",queue_reason="expired"}': 0,
  'sla_target_seconds{queue_tier="regular"}': 60,
  'sla_objective_ratio{queue_tier="regular"}': 0.99,
  'sla_items_total{queue_tier="regular",queue_result="met"}': 0,
  'sla_items_total{queue_tier="regular",queue_result="missed"}': 0,
};

/** Everything that a process exports of an idle queue with an SLA of a minute, but for what is given. */
export function queue(
  place: Place,
  figures: Figures,
  { name = "orders", alive = () => true }: { name?: string; alive?: (t: number) => boolean } = {},
): Record<string, Figure> {
  return some(place, { ...IDLE, ...figures }, { name, alive });
}

/** Nothing but these figures of a queue: hours of all of them would take long. */
export function some(
  place: Place,
  figures: Figures,
  { name = "orders", alive = () => true }: { name?: string; alive?: (t: number) => boolean } = {},
): Record<string, Figure> {
  const labels = labelsOf(place);
  return Object.fromEntries(
    Object.entries(figures).map(([metric, figure]) => {
      const [base, more] = metric.split(/[{}]/);
      const all = [labels, `queue_name="${name}"`, more].filter(Boolean).join(",");
      return [`queue_${base}{${all}}`, (t) => (alive(t) ? figureAt(figure, t) : undefined)];
    }),
  );
}

/** A target: 1 while it answers, 0 while it doesn't, undefined where it is none. */
export function target(place: Place, up: Figure | number = 1): Record<string, Figure> {
  return { [`up{${labelsOf(place)}}`]: (t) => figureAt(up, t) };
}

/** A figure of the process itself. */
export function ofProcess(place: Place, metric: string, figure: Figure | number): Record<string, Figure> {
  return { [`${metric}{${labelsOf(place)}}`]: (t) => figureAt(figure, t) };
}

/** So many a second, from a second on. */
export const perSecond =
  (rate: number, from = 0, until = Infinity): Figure =>
  (t) =>
    Math.floor(rate * Math.max(0, Math.min(t, until) - from));

/** So many at a time, at the beginning of each of these periods of seconds. */
export const inBursts =
  (count: number, everyS: number): Figure =>
  (t) =>
    count * Math.floor(t / everyS);

function figureAt(figure: Figure | number, t: number): number | undefined {
  return typeof figure === "number" ? figure : figure(t);
}

function labelsOf({ job = "shop", instance = "a", namespace, cluster }: Place): string {
  const all = { cluster, namespace, job, instance };
  return Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => `${label}="${value}"`)
    .join(",");
}
