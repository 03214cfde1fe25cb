import { expect, it } from "vitest";
import { CHECKS, type Check, downstreamSaturated } from "../../src/checks.js";
import { FifoQueue, instrument, Watchdog } from "../../src/index.js";

it("looks for other causes, and by other thresholds", async () => {
  const tooManyExports: Check = {
    name: "too-many-exports",
    look({ tasks }) {
      const exports = tasks.filter(({ tier }) => tier === "export").length;
      if (exports < 10) return undefined;
      const sentence = `${exports} exports run at once`;
      return { name: "too-many-exports", confidence: 0.9, sentence, evidence: { exports } };
    },
  };
  const usual = CHECKS.filter(({ name }) => name !== "downstream-saturated");
  const orders = instrument(new FifoQueue<string>(), { name: "orders", sla: { default: { targetMs: 500 } } });
  const watchdog = new Watchdog({ checks: [downstreamSaturated({ share: 0.9 }), ...usual, tooManyExports] });
  watchdog.watch(orders).start();
  expect(watchdog.report()[0]?.verdicts).toEqual([]);
  await watchdog.stop();
});
