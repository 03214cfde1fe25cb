import { once } from "node:events";
import { propagation, trace } from "@opentelemetry/api";
import { currentCorrelationId } from "../../../src/telemetry/context/correlation.js";
import type { ThreadTask } from "../../../src/worker/threads.js";
import { hand, Tenant, tenantOf } from "./tenant.js";

hand(new Tenant());

class OrderError extends Error {
  override name = "OrderError";
  code = "E_ORDER";
  order = { id: 7 };
}

/** What threads do in the tests. */
const jobs = {
  double: (n: number) => 2 * n,
  facts: (_: unknown, { attempt, tier, waitMs, correlationId }: ThreadTask) => ({
    attempt,
    tier,
    waitMs,
    correlationId,
  }),
  context: async () => {
    await new Promise(setImmediate);
    return {
      correlationId: currentCorrelationId(),
      span: trace.getActiveSpan()?.spanContext().spanId,
      state: trace.getActiveSpan()?.spanContext().traceState?.serialize(),
      user: propagation.getActiveBaggage()?.getEntry("user")?.value,
      tenant: tenantOf(),
    };
  },
  loop: (_: unknown, { signal, step }: ThreadTask) => {
    step("loop");
    for (;;) signal.throwIfAborted();
  },
  listen: async (_: unknown, { signal, step }: ThreadTask) => {
    step("listen");
    await once(signal, "abort");
    return { name: signal.reason.name, code: signal.reason.code, aborted: signal.aborted };
  },
  deaf: (_: unknown, { step }: ThreadTask) => {
    step("deaf");
    for (;;);
  },
  /** Until the main thread says so. */
  hold: (flag: Int32Array, { step }: ThreadTask) => {
    step("hold");
    Atomics.wait(flag, 0, 0);
    return "let go";
  },
  exit: (code: number) => process.exit(code),
  throwAside: () => {
    process.nextTick(() => {
      throw new TypeError("aside");
    });
    return new Promise(() => {});
  },
  eat: () => {
    const eaten: unknown[] = [];
    for (;;) eaten.push(new Array(1_000).fill(0).map(() => ({})));
  },
  fail: () => {
    throw new OrderError("no such order", { cause: new RangeError("7") });
  },
  failTwice: () => Promise.any([Promise.reject(new TypeError("a")), Promise.reject("b")]),
  failOddly: () => {
    throw Object.assign(new SyntaxError("odd"), { handle: () => {}, cause: "text" });
  },
  failWith: (thrown: unknown) => Promise.reject(thrown),
  secret: () => () => "a function",
  report: async (_: unknown, { step, progress }: ThreadTask) => {
    step("first");
    progress(0.5);
    step("last");
  },
  /** Says much, then nothing more, and doesn't end by itself. */
  shoutThenDeaf: (times: number, { step, progress }: ThreadTask) => {
    for (let i = 1; i <= times; i++) {
      step(`${i} `.repeat(20));
      progress(i / times);
    }
    for (;;);
  },
  shout: (times: number, { step, progress }: ThreadTask) => {
    for (let i = 1; i <= times; i++) {
      step(`step ${i}`);
      progress(i / times);
    }
  },
  stepInLetters: (length: number, { step }: ThreadTask) => step("x".repeat(length)),
  reportBadly: (_: unknown, { step, progress }: ThreadTask) =>
    [() => step(5 as never), () => progress(1.5), () => progress("1" as never)].map((call) => {
      try {
        return call();
      } catch (error) {
        return String(error);
      }
    }),
};

export type Job = { readonly [K in keyof typeof jobs]: readonly [K, unknown?] }[keyof typeof jobs];

export default ([job, argument]: Job, task: ThreadTask): unknown => jobs[job](argument as never, task);
