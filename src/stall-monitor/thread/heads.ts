import type { Layout } from "../shared-heads.js";
import type { BlockedHead } from "../stall.js";

/** The heads that main has published. */
export interface Heads {
  name(index: number, queue: string, tier: string): void;
  free(index: number): void;
  /** Those that are beyond their SLA, each once in a stall. */
  late(now: number, blockedMs: number): BlockedHead[];
  /** The stall is over. */
  forget(): void;
}

/** Runs in the thread: its source is sent there, so it refers to nothing outside. */
export function makeHeads(memory: Float64Array, layout: Layout): Heads {
  const names = new Map<number, { queue: string; tier: string }>();
  const told = new Set<number>();
  return {
    name(index, queue, tier) {
      names.set(index, { queue, tier });
    },
    free(index) {
      names.delete(index);
      told.delete(index);
    },
    late(now, blockedMs) {
      const found: BlockedHead[] = [];
      for (const [index, name] of names) {
        const at = layout.heads + 3 * index;
        const ageMs = now - memory[at]!;
        const slaMs = memory[at + 1]!;
        // NaN, where there is no head, compares as false.
        if (!(ageMs > slaMs) || told.has(index)) continue;
        told.add(index);
        const seenAgoMs = now - memory[at + 2]!;
        found.push({ head: index, ...name, ageMs, slaMs, blockedMs, at: Date.now(), seenAgoMs });
      }
      return found;
    },
    forget() {
      told.clear();
    },
  };
}
