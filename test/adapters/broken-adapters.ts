import { Ledger, whenOver } from "../../src/adapters/ledger.js";
import { patch } from "../../src/adapters/patch.js";
import type { Task } from "../../src/adapters/task.js";
import type { Adapter, Capability, Probe, QueueTelemetry } from "../../src/contracts/index.js";
import type { QueueKind } from "../../src/testing.js";

type Run = () => unknown;

/** A small queue of closures. */
export class Crew {
  readonly waiting: Run[] = [];
  running = 0;

  constructor(private readonly concurrency: number) {}

  add(run: Run): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.push(async () => {
        try {
          resolve(await run());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  clear(): void {
    this.waiting.length = 0;
  }

  private push(run: Run): void {
    this.waiting.push(run);
    this.next();
  }

  private async next(): Promise<void> {
    if (this.running >= this.concurrency) return;
    const run = this.waiting.shift();
    if (run === undefined) return;
    this.running++;
    await run();
    this.running--;
    void this.next();
  }
}

/** The ways in which an adapter can be wrong; each takes the place of what would be right. */
export interface Faults {
  enter?(ledger: Ledger, run: Run, telemetry: QueueTelemetry): Task;
  entered?(ledger: Ledger, task: Task): void;
  take?(ledger: Ledger, task: Task): void;
  run?(ledger: Ledger, task: Task, run: Run): unknown;
  settle?(
    ledger: Ledger,
    task: Task,
    failure: { readonly error: unknown } | undefined,
    telemetry: QueueTelemetry,
  ): void;
  /** What is put into the queue; undefined: nothing. */
  hand?(handler: Run): Run | undefined;
  result?(promise: Promise<unknown>): unknown;
  clear?(ledger: Ledger): void;
  probe?(probe: Probe): Probe;
  tells?: readonly Capability[];
  detach?(restore: () => void, ledger: Ledger): void;
  attach?(queue: Crew): void;
  size?(queue: Crew, ledger: Ledger): number;
}

/** An adapter that is right but for its faults. */
function adapterWith(faults: Faults): Adapter<Crew> {
  return {
    system: "crew",
    tiersOf: () => ["default"],
    attach(queue, telemetry) {
      faults.attach?.(queue);
      const ledger = new Ledger(telemetry);
      const restore = patch(queue, {
        add: (original) =>
          function (run) {
            if (!ledger.isOpen) return original.call(this, run);
            const task = faults.enter?.(ledger, run, telemetry) ?? ledger.enter(run);
            const over = (failure?: { readonly error: unknown }) => {
              if (faults.settle) faults.settle(ledger, task, failure, telemetry);
              else ledger.settle(task, failure);
            };
            const handler = () => {
              if (!ledger.isOpen) return run();
              if (faults.take) faults.take(ledger, task);
              else ledger.take(task);
              try {
                return whenOver(faults.run ? faults.run(ledger, task, run) : ledger.run(task, run), over);
              } catch (error) {
                over({ error });
                throw error;
              }
            };
            const handed = faults.hand ? faults.hand(handler) : handler;
            const promise = handed === undefined ? Promise.resolve() : original.call(this, handed);
            if (faults.entered) faults.entered(ledger, task);
            else ledger.entered(task);
            return faults.result ? faults.result(promise) : promise;
          },
        clear: (original) =>
          function () {
            if (faults.clear) faults.clear(ledger);
            else ledger.dropAll("shutdown");
            return original.call(this);
          },
      });
      const probe = ledger.probe({
        size: () => faults.size?.(queue, ledger) ?? queue.waiting.length,
        running: () => queue.running,
        head: () => ledger.oldest(),
      });
      return {
        capabilities: faults.tells ?? ["takes", "outcomes", "durations", "shutdown"],
        probe: faults.probe?.(probe) ?? probe,
        detach() {
          ledger.close();
          if (faults.detach) faults.detach(restore, ledger);
          else restore();
        },
      };
    },
  };
}

export function crewWith(faults: Faults): QueueKind<Crew> {
  return {
    adapter: adapterWith(faults),
    tells: ["takes", "outcomes", "durations", "shutdown"],
    handlers: "in-context",
    results: "promised",
    make: ({ concurrency }) => new Crew(concurrency),
    put: (queue, item, { handle }) => queue.add(() => handle(item)),
    clear: (queue) => queue.clear(),
  };
}
