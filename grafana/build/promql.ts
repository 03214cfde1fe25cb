/** What the dashboard's variables leave: label matchers, from few to many. */
export const JOB = 'cluster=~"$cluster",namespace=~"$namespace",job=~"$job"';
export const PROCESS = `${JOB},instance=~"$instance"`;
export const QUEUE = `${PROCESS},queue_name=~"$queue"`;
export const TIER = `${QUEUE},queue_tier=~"$tier"`;

/** What is shown apart. Instances are not, except where a process is the question: a service has as many as it needs. */
export const PER_PROCESS = "job, instance";
export const PER_QUEUE = "job, queue_name";
export const PER_TIER = "job, queue_name, queue_tier";
/** Of what a broker tells: it belongs to no job, and isn't spread over tiers. */
export const PER_SHARED = "queue_name";

export const QUEUE_LEGEND = "{{job}}/{{queue_name}}";
export const TIER_LEGEND = "{{job}}/{{queue_name}} {{queue_tier}}";
export const PROCESS_LEGEND = "{{job}} {{instance}}";
export const SHARED_LEGEND = "{{queue_name}} in the broker";

/** Figures of queues in processes: each process tells its own part. */
const LOCAL = 'queue_scope=""';
/** Figures that a broker tells: each process that asks it tells the same. */
const OF_BROKERS = `${JOB},queue_name=~"$queue",queue_scope="shared"`;

/** What a selector, an aggregation and a legend need: a metric, labels to match, labels to keep. */
export interface What {
  readonly metric: string;
  readonly where: string;
  readonly per?: string;
}

/** The sum of a gauge over all processes. */
export function sum({ metric, where, per }: What): string {
  return `sum${by(per)}(${metric}{${where}})`;
}

/** The greatest value of a gauge in any process: ages add up to nothing. */
export function max({ metric, where, per }: What): string {
  return `max${by(per)}(${metric}{${where}})`;
}

/** What a gauge is in processes, without what brokers tell. */
export function local({ where, ...rest }: What): What {
  return { where: `${where},${LOCAL}`, ...rest };
}

/** What brokers tell: the greatest value, by queue, however many processes ask. They tell it of no tier, so it is shown whichever is chosen. */
export function shared(metric: string): string {
  return max({ metric, where: OF_BROKERS, per: PER_SHARED });
}

/** A gauge of all queues by tier, wherever they are. What a broker tells has no job. */
export function anywhere(aggregate: (what: What) => string, metric: string): string {
  return `${aggregate(local({ metric, where: TIER, per: PER_TIER }))} or ${inPlaceOfTier(shared(metric))}`;
}

/** Says where the tier would stand, which it lacks, that it is a broker's. Of a label that isn't there, Grafana would show the name. */
function inPlaceOfTier(expr: string): string {
  return `label_replace(${expr}, "queue_tier", "in the broker", "queue_name", ".*")`;
}

/** The sum of a gauge over all queues: of those in processes the sum, of a broker's what it tells, once. */
export function total(what: What): string {
  const { metric, where } = local(what);
  return `sum(${metric}{${where}} or ${shared(metric)})`;
}

/** The greatest value of a gauge, wherever it is. */
export function highest(what: What): string {
  const { metric, where } = local(what);
  return `max(${metric}{${where}} or ${shared(metric)})`;
}

/** How many items are in flight: as many as the broker tells, or else as processes do, each its part. */
export function inFlight(): string {
  const what = { metric: "queue_inflight", where: QUEUE, per: PER_SHARED };
  return `sum(${shared(what.metric)} or ${sum(local(what))})`;
}

/** A counter's growth per second. */
export function rate({ metric, where, per }: What): string {
  return `sum${by(per)}(rate(${metric}{${where}}[$__rate_interval]))`;
}

/** The growth per second of several counters together. Their labels differ, so that `or` takes all of them; one may be missing. */
export function rateOfAll(counters: readonly Pick<What, "metric" | "where">[], per: string): string {
  const rates = counters.map(({ metric, where }) => `rate(${metric}{${where}}[$__rate_interval])`);
  return `sum${by(per)}(${rates.join(" or ")})`;
}

/**
 * How much a gauge grows per second, over all processes. Of a queue's depth this is right where counters of what comes and goes are
 * not: items also leave by being dropped.
 */
export function growth(what: What): string {
  const { metric, where, per } = local(what);
  return `sum${by(per)}(deriv(${metric}{${where}}[$__rate_interval]))`;
}

/** The same of what a broker tells, of which there is one, whatever the number of processes that ask. */
export function sharedGrowth(metric: string): string {
  return `max${by(PER_SHARED)}(deriv(${metric}{${OF_BROKERS}}[$__rate_interval]))`;
}

/** A counter's growth over the whole time range of the dashboard. */
export function inRange({ metric, where, per }: What): string {
  return `sum${by(per)}(increase(${metric}{${where}}[$__range]))`;
}

/** The same where series begin with their first increment, which no increase sees: of those that began in the range, all there is. */
export function sinceRange({ metric, where, per }: What): string {
  const series = `${metric}{${where}}`;
  return `sum${by(per)}((${series} unless ${series} offset $__range) or increase(${series}[$__range]))`;
}

/** A quantile of a histogram, over all processes together. */
export function quantile(q: number, { metric, where, per }: What): string {
  const kept = per === undefined ? "le" : `le, ${per}`;
  return `histogram_quantile(${q}, sum by (${kept}) (rate(${metric}_bucket{${where}}[$__rate_interval])))`;
}

/** Of many series those that were greatest at any time, as many as one has chosen: hundreds of lines are a band. */
export function most(expr: string): string {
  return ofMost(expr, expr);
}

/** The same, of what was greatest by another expression with the same labels. */
export function ofMost(expr: string, by: string): string {
  return `${alone(expr)} and topk($top, max_over_time((${by})[$__range:$__interval] @ end()))`;
}

/** A dash for the service of what a broker tells, where every series needs all labels. */
export function withJob(expr: string): string {
  return `label_replace(${expr}, "job", "–", "job", "")`;
}

function alone(expr: string): string {
  return / (?:or|and|\/|-) /.test(expr) ? `(${expr})` : expr;
}

/** The greatest one, with its labels: whose it is. */
export function greatest(expr: string): string {
  return `topk(1, ${expr})`;
}

/** The least one, with its labels: whose it is. */
export function least(expr: string): string {
  return `bottomk(1, ${expr})`;
}

/** Part of whole; nothing where there is no whole, rather than 0 / 0. */
export function ratio(part: string, whole: string): string {
  return `${part} / (${whole} > 0)`;
}

/** The age of the oldest item as a share of what the SLA allows, in processes. Queues without an SLA have none. */
export function slaUsed(per: string): string {
  const age = max(local({ metric: "queue_oldest_age_seconds", where: TIER, per: PER_TIER }));
  const target = max({ metric: "queue_sla_target_seconds", where: TIER, per: PER_TIER });
  return per === PER_TIER ? `${age} / ${target}` : `max${by(per)}(${age} / ${target})`;
}

/** The same of all queues by tier, wherever they are. */
export function slaUsedAnywhere(): string {
  return `${slaUsed(PER_TIER)} or ${inPlaceOfTier(sharedSlaUsed())}`;
}

/** The same in brokers. They don't tell of which tier the oldest message is: it is held against the SLA of the most patient one. */
export function sharedSlaUsed(): string {
  return `${shared("queue_oldest_age_seconds")} / ${max({ metric: "queue_sla_target_seconds", where: QUEUE, per: PER_SHARED })}`;
}

/** How full the fullest process' queue is: others may be empty meanwhile. Those without a bound have no capacity, and are never full. */
export function capacityUsed(): string {
  const per = `${PER_QUEUE}, instance`;
  const depth = sum(local({ metric: "queue_depth", where: QUEUE, per }));
  const capacity = sum({ metric: "queue_capacity", where: QUEUE, per });
  return `max by (${PER_QUEUE}) (${depth} / ${capacity})`;
}

/**
 * How often each process began anew, from one point to the next. It may be away for longer than a rate's interval, so what it had
 * counted is held for 5 minutes.
 */
export function restarts(): string {
  const counted = `last_over_time(queue_enqueued_total{${QUEUE}}[5m])`;
  return `max by (${PER_PROCESS}) (resets(${counted}[$__rate_interval:]))`;
}

function by(labels: string | undefined): string {
  return labels === undefined || labels === "" ? "" : ` by (${labels}) `;
}
