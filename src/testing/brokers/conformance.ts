import type { ConformanceCase } from "../case.js";
import { type BrokerCase, Stage } from "./case.js";
import { contexts } from "./cases/context.js";
import { figures } from "./cases/figures.js";
import { outcomes } from "./cases/outcomes.js";
import { transparency } from "./cases/users.js";
import type { BrokerKind } from "./kind.js";

const CASES: readonly BrokerCase[] = [...contexts, ...outcomes, ...transparency, ...figures];

/**
 * What every adapter of a broker has to do, as tests for whichever runner, against the real server, in this process and another one: `for (const { name,
 * run } of brokerConformance(kind)) it(name, run)`. Cases about what the kind does not offer are not in the list. Run one after the other: each
 * registers an SDK with the process. Each has a queue of its own; it takes a few seconds at most, and the kind's `limitMs` when it fails.
 *
 * @example
 * import { test } from "node:test";
 *
 * for (const { name, run } of brokerConformance(kind)) test(name, run);
 */
export function brokerConformance<C extends object>(kind: BrokerKind<C>): readonly ConformanceCase[] {
  return CASES.filter(({ isFor }) => isFor === undefined || isFor(kind)).map(({ name, run }) => ({
    name,
    async run() {
      const stage = new Stage(kind);
      try {
        await run(stage);
      } finally {
        await stage.close();
      }
    },
  }));
}
