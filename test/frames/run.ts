import { compileFunction } from "node:vm";
import { processWide } from "../../src/base/process-wide.js";
import type { TaskFacts } from "../../src/contracts/index.js";
import { installRuntime } from "../../src/frames/runtime.js";
import type { SourceKind } from "../../src/frames/transform/parse.js";
import { transform } from "../../src/frames/transform/transform.js";
import { branchesOf, branchInWords } from "../../src/waits/frames.js";
import { taskMonitor } from "../../src/waits/task-monitor.js";

const { activeTaskMonitor, correlation } = processWide;

const PATH = "/src/app.js";

/** The code with frames; undefined where it is left alone. */
export function framed(code: string, kind: SourceKind = "commonjs", wantsMap = false): string | undefined {
  return transform({ code, url: `file://${PATH}`, path: PATH, kind, wantsMap });
}

/** What the body of a CommonJS file, which sets `exports`, exports. It must have something to transform. */
export function loaded<Exports>(code: string, names: Record<string, unknown> = {}): Exports {
  installRuntime();
  const changed = framed(code);
  if (changed === undefined) throw new Error("nothing was transformed");
  const exports = {};
  compileFunction(changed, ["exports", ...Object.keys(names)], { filename: PATH })(
    exports,
    ...Object.values(names),
  );
  return exports as Exports;
}

/** A task that is monitored, as a pool's tasks are. */
export class FakeTask {
  readonly facts: TaskFacts = { correlationId: "task", tier: "default", attempt: 1, waitMs: 0 };
  private readonly store = taskMonitor.begin(this.facts, undefined);

  run<R>(fn: () => R): R {
    activeTaskMonitor.current = taskMonitor;
    return correlation.run(this.store, fn);
  }

  /** `inner app.js:3 < outer app.js:7`, and how often where that is more than once. */
  get branches(): string[] {
    return branchesOf(this.facts).map(
      (branch) => branchInWords(branch) + (branch.count > 1 ? ` (${branch.count}x)` : ""),
    );
  }
}

export function stopMonitoring(): void {
  activeTaskMonitor.current = undefined;
}
