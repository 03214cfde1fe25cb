import { atOnce } from "../../base/callback.js";
import { cut, MAX_NAME, whole } from "../../base/limits.js";
import { shown } from "../../base/shown.js";
import type { Head } from "../../contracts/index.js";
import { percent } from "../checks/format.js";

/** How many items that wait are asked for who sent them, and how many senders of each kind are told. */
export const MAX_SAMPLED = 200;
const MAX_TOLD = 5;
/** What is rarer than that, or is there once only, is not told. */
const MIN_SHARE = 0.05;

/** Who the items are from that are served next. What is frequent comes first. */
export interface Senders {
  /** How many items were looked at. */
  readonly sampled: number;
  /** What the option `tenant` makes of them; none without that. */
  readonly tenants: readonly { readonly tenant: string; readonly count: number }[];
  /** The correlation IDs that several of them have. */
  readonly correlationIds: readonly { readonly correlationId: string; readonly count: number }[];
}

/** Counts what the items have in common. `fault` is told what `tenantOf` throws. */
export function sendersOf(
  heads: readonly Head[],
  tenantOf: ((item: unknown) => unknown) | undefined,
  fault: (error: unknown) => void,
): Senders {
  const sampled = heads.length;
  const ids = frequent(
    heads.map(({ correlationId }) => correlationId),
    sampled,
  );
  const tenants = tenantOf === undefined ? [] : tenantsOf(heads, tenantOf, fault);
  return {
    sampled,
    tenants: frequent(tenants, sampled).map(([tenant, count]) => ({ tenant, count })),
    correlationIds: ids.map(([correlationId, count]) => ({ correlationId, count })),
  };
}

/** One line of a report; none where the items have nothing in common. */
export function senderLines({ sampled, tenants, correlationIds }: Senders): string[] {
  const inWords = (what: string, names: readonly (readonly [string, number])[]) =>
    names.length === 0
      ? []
      : [`${what} ${names.map(([name, count]) => `${shown(name)} ${percent(count / sampled)}`).join(", ")}`];
  const parts = [
    ...inWords(
      "tenant",
      tenants.map(({ tenant, count }) => [tenant, count]),
    ),
    ...inWords(
      "correlation ID",
      correlationIds.map(({ correlationId, count }) => [correlationId, count]),
    ),
  ];
  return parts.length === 0 ? [] : [`FROM ${parts.join("; ")}, of the ${sampled} that come next`];
}

/** Stops at the first item for which it fails: so it would for the others. */
function tenantsOf(
  heads: readonly Head[],
  tenantOf: (item: unknown) => unknown,
  fault: (error: unknown) => void,
): (string | undefined)[] {
  const tenants: (string | undefined)[] = [];
  try {
    for (const { item } of heads) {
      if (item === undefined) continue;
      const tenant = atOnce("tenant()", tenantOf(item), fault);
      if (typeof tenant === "string" && tenant !== "") tenants.push(cut(whole(tenant), MAX_NAME));
    }
  } catch (error) {
    fault(error);
  }
  return tenants;
}

/** The names that are there several times, the most frequent first. */
function frequent(names: readonly (string | undefined)[], of: number): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > 1 && count >= MIN_SHARE * of)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_TOLD);
}
