/** What stands where a figure is unknown, or doesn't apply. */
export const UNKNOWN = "–";

/** A narrow space that doesn't break: between a number and its unit. */
const THIN = "\u202f";

/** A length of time with two or three digits: `7 ms`, `1.4 s`, `12 min`; none at all is `0`. */
export function duration(ms: number | null | undefined): string {
  if (!isKnown(ms)) return UNKNOWN;
  if (ms === 0) return "0";
  if (ms < 999.5) return `${ms < 9.95 && ms >= 0.05 ? trimmed(ms, 1) : Math.round(ms)}${THIN}ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)}${THIN}s`;
  if (ms < 119_500) return `${Math.round(ms / 1_000)}${THIN}s`;
  if (ms < 5_970_000) return `${Math.round(ms / 60_000)}${THIN}min`;
  if (ms < 172_000_000) return `${trimmed(ms / 3_600_000, 1)}${THIN}h`;
  return `${Math.round(ms / 86_400_000)}${THIN}d`;
}

/** A count: all digits up to 99 999, then three of them: `1 234`, `1.23 M`. */
export function count(n: number | null | undefined): string {
  if (!isKnown(n)) return UNKNOWN;
  const size = Math.abs(n);
  if (size < 99_999.5) return grouped(Math.round(n));
  if (size < 999_500) return `${Math.round(n / 1_000)}${THIN}k`;
  if (size < 999_500_000) return `${threeDigits(n / 1_000_000)}${THIN}M`;
  return `${threeDigits(n / 1_000_000_000)}${THIN}G`;
}

/** So many per second, without the unit: `0`, `0.4`, `52`, `1 234`. */
export function rate(perSecond: number | null | undefined): string {
  if (!isKnown(perSecond)) return UNKNOWN;
  if (perSecond < 0.005) return "0";
  if (perSecond < 0.095) return perSecond.toFixed(2);
  if (perSecond < 9.95) return perSecond.toFixed(1);
  return count(perSecond);
}

/** A share, from 0 to 1 or beyond: `62 %`; from ten times on, `12×`. */
export function percent(share: number | null | undefined): string {
  if (!isKnown(share)) return UNKNOWN;
  if (share >= 9.995) return `${count(share)}×`;
  return `${count(share < 1 && share > 0.99 ? 99 : share * 100)}${THIN}%`;
}

/** Bytes: `12 MB`, of a million each. */
export function bytes(n: number | null | undefined): string {
  if (!isKnown(n)) return UNKNOWN;
  if (n < 1_000_000) return `${Math.round(n / 1_000)}${THIN}kB`;
  if (n < 1_000_000_000) return `${Math.round(n / 1_000_000)}${THIN}MB`;
  return `${(n / 1_000_000_000).toFixed(1)}${THIN}GB`;
}

/** The time of day of an instant in epoch milliseconds, to the second: `20:31:07`. */
export function clock(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((n) => `${n}`.padStart(2, "0"))
    .join(":");
}

/** How long ago, to the second, as minutes and seconds: `3:07`. */
export function minutes(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${`${seconds % 60}`.padStart(2, "0")}`;
}

/** `1 queue`, `2 queues`. */
export function some(n: number, what: string): string {
  return `${count(n)} ${what}${n === 1 ? "" : "s"}`;
}

function isKnown(n: number | null | undefined): n is number {
  return n !== undefined && n !== null && !Number.isNaN(n);
}

function grouped(n: number): string {
  return `${n}`.replace(/\B(?=(\d{3})+$)/g, THIN);
}

function threeDigits(n: number): string {
  return n.toFixed(n < 9.995 ? 2 : n < 99.95 ? 1 : 0);
}

function trimmed(n: number, digits: number): string {
  return n.toFixed(digits).replace(/\.0$/, "");
}
