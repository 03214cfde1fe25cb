/** A duration, such as `451 ms`, `2.5 s`, `12 min` or `3.0 h`; `Infinity` is `for ever`. */
export function duration(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return "for ever";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

/** A number with its noun: `1 task`, `2 tasks`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** A share from 0 to 1, such as `75 %`. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** A rate, such as `20/s` or `2.5/s`. */
export function perSecond(rate: number): string {
  return `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`;
}

/** What tasks wait for, behind a count: `waiting for POST bank.example.com/charges`, or `at step "charge card"`. */
export function waitWords(kind: string | undefined, label: string): string {
  switch (kind) {
    case "step":
      return `at step "${label}"`;
    case "span":
      return `in span "${label}"`;
    case "gate":
      return `waiting for gate "${label}"`;
    case "connection":
      return `waiting for a connection of ${label}`;
    case "queue":
      return `waiting for room in queue "${label}"`;
    default:
      return `waiting for ${label}`;
  }
}
