import { type Adapter, Ledger, patch, type Task } from "queuescope/adapter";
import { adapterConformance, type ConformanceCase, type QueueKind } from "queuescope/testing";

class Line {
  readonly items: unknown[] = [];
  add(item: unknown): number {
    return this.items.push(item);
  }
  take(): unknown {
    return this.items.shift();
  }
}

const adapter: Adapter<Line> = {
  system: "line",
  tiersOf: () => ["default"],
  attach(line, telemetry) {
    const ledger = new Ledger(telemetry);
    const restore = patch(line, {
      add: (original) =>
        function (item) {
          const task: Task = ledger.enter(item);
          const result: unknown = original.call(this, item);
          ledger.entered(task);
          return result;
        },
    });
    const probe = ledger.probe({ size: () => line.items.length, running: () => undefined });
    return { probe, tells: [], detach: restore };
  },
};

const kind: QueueKind<Line> = {
  adapter,
  tells: [],
  handlers: "out-of-context",
  make: () => new Line(),
  put: (line, item) => line.add(item),
  consume: async (line, handle) => handle(line.take()),
};

export const cases: readonly ConformanceCase[] = adapterConformance(kind);
// @ts-expect-error a kind says whether handlers run in context
adapterConformance({ ...kind, handlers: true });
