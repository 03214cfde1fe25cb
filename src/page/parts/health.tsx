import type { HealthName } from "../../inspector/protocol.js";

export const HEALTH_WORDS: Readonly<Record<HealthName, string>> = {
  breach: "late",
  warning: "warning",
  ok: "on time",
  idle: "idle",
};

/** A mark that differs in its form, too, for eyes that don't tell colours apart. */
export function HealthMark({ health, isGone = false }: { health: HealthName; isGone?: boolean }) {
  const words = isGone ? "process ended" : HEALTH_WORDS[health];
  return (
    <svg
      class={`mark mark-${isGone ? "gone" : health}`}
      viewBox="0 0 12 12"
      width="12"
      height="12"
      role="img"
      aria-label={words}
    >
      <title>{words}</title>
      {isGone ? (
        <path d="M3 3l6 6M9 3l-6 6" />
      ) : health === "breach" ? (
        <rect x="1" y="1" width="10" height="10" rx="2.5" />
      ) : health === "warning" ? (
        <path d="M6 1.8 11 10.5H1Z" />
      ) : (
        <circle cx="6" cy="6" r={health === "ok" ? 3 : 2.6} />
      )}
    </svg>
  );
}

/** The same in a word, for headings. */
export function HealthChip({ health, isGone = false }: { health: HealthName; isGone?: boolean }) {
  return (
    <span class={`chip chip-${isGone ? "gone" : health}`}>
      {isGone ? "process ended" : HEALTH_WORDS[health]}
    </span>
  );
}
