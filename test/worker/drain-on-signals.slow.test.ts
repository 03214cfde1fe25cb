import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { FakeClock } from "../../src/testing/fake-clock.js";
import { type DrainOnSignalsOptions, drainOnSignals } from "../../src/worker/drain-on-signals.js";
import { WorkerPool } from "../../src/worker/pool.js";
import type { DrainReport } from "../../src/worker/shutdown.js";
import { signal } from "../support/telemetry-capture.js";
import { ByHand, settled } from "./by-hand.js";

const SERVICE = fileURLToPath(new URL("service.ts", import.meta.url));

/** The service of `service.ts`, in a process of its own. */
class Service {
  readonly lines: string[] = [];
  private readonly child;
  private readonly waiting = new Set<() => void>();
  readonly exited: Promise<{ code: number | null; signal: string | null }>;

  constructor(options: Record<string, unknown>) {
    this.child = spawn(process.execPath, ["--import", "tsx", SERVICE, JSON.stringify(options)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface(stream).on("line", (line) => {
        this.lines.push(line);
        for (const look of [...this.waiting]) look();
      });
    }
    this.exited = once(this.child, "close").then(([code, signal]) => ({ code, signal }));
    children.add(this);
  }

  /** Once it has printed that line. */
  printed(line: string): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.lines.includes(line)) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** What it has printed last, as JSON. */
  get account(): Record<string, number> {
    return JSON.parse(this.lines.find((line) => line.startsWith("{"))!);
  }
}

const children = new Set<Service>();

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

describe("a service under load that is told to stop", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("by %s finishes everything and exits with 0", async (signal) => {
    const service = new Service({ timeoutMs: 15_000 });
    await service.printed("under load");
    service.kill(signal);
    expect(await service.exited).toEqual({ code: 0, signal: null });
    const { accepted, done, failed, deadLettered, leftOver, abandoned, timedOut } = service.account;
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBe(done! + failed! + deadLettered!);
    expect({ leftOver, abandoned, timedOut }).toEqual({ leftOver: 0, abandoned: 0, timedOut: 0 });
    expect(service.lines.at(-1)).toBe("telemetry is shut down");
  });

  it("within its time exits with 1 when tasks hang, and accounts for everything", async () => {
    const service = new Service({ timeoutMs: 200, hang: true });
    await service.printed("under load");
    service.kill("SIGTERM");
    expect(await service.exited).toEqual({ code: 1, signal: null });
    const { accepted, done, failed, deadLettered, leftOver, abandoned, timedOut } = service.account;
    expect(accepted).toBe(done! + failed! + deadLettered! + leftOver! + abandoned!);
    expect(abandoned).toBeGreaterThan(0);
    expect(timedOut).toBe(2);
  });

  it("exits at once when another signal comes second", async () => {
    const service = new Service({ timeoutMs: 600_000, hang: true });
    await service.printed("under load");
    service.kill("SIGTERM");
    await service.printed("draining");
    service.kill("SIGINT");
    expect(await service.exited).toEqual({ code: 130, signal: null });
    expect(service.lines).not.toContain("telemetry is shut down");
  });

  it("exits at once when the same signal comes again, and is meant", async () => {
    const service = new Service({ timeoutMs: 600_000, hang: true });
    await service.printed("under load");
    const insisting = setInterval(() => service.kill("SIGTERM"), 100);
    expect(await service.exited).toEqual({ code: 143, signal: null });
    clearInterval(insisting);
    expect(service.lines).toContain("draining");
  });

  it("takes a signal that comes twice, as from a terminal and from a runner that hands it on, for one", async () => {
    const service = new Service({ timeoutMs: 1_000, hang: true });
    await service.printed("under load");
    service.kill("SIGINT");
    await sleep(30);
    service.kill("SIGINT");
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(service.lines.at(-1)).toBe("telemetry is shut down");
  });

  it("dies of the signal, as any process, when the handlers were taken away", async () => {
    const service = new Service({ timeoutMs: 600_000, takeAway: true });
    await service.printed("under load");
    service.kill("SIGTERM");
    expect(await service.exited).toEqual({ code: null, signal: "SIGTERM" });
  });
});

describe("drainOnSignals", () => {
  /** Two pools with one task each, and what becomes of the process. */
  async function two(options: DrainOnSignalsOptions<WorkerPool<number>> = {}) {
    const clock = new FakeClock();
    const hand = new ByHand<number>();
    const exited = signal<number>();
    const codes: number[] = [];
    const queues = [new FifoQueue<number>({ clock }), new FifoQueue<number>({ clock })];
    const pools = queues.map((queue, i) => new WorkerPool(queue, hand.handler, { name: `pool ${i}` }));
    for (const [i, queue] of queues.entries()) await queue.put(i);
    await settled();
    const takeAway = drainOnSignals(pools, {
      signals: ["SIGUSR2"],
      clock,
      exit: (code) => {
        codes.push(code);
        exited.give(code);
      },
      ...options,
    });
    // By an event, as Node's own: to the test runner's process the signal itself would not be for us.
    const send = () => void process.emit("SIGUSR2", "SIGUSR2");
    return { clock, hand, pools, queues, codes, exited: exited.promise, takeAway, send };
  }

  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  afterEach(() => {
    process.removeAllListeners("SIGUSR2");
    error.mockClear();
  });

  it("drains all pools at the same time, gives each report as it comes, and exits with 0 after onDrained", async () => {
    const told: unknown[] = [];
    const { hand, pools, codes, exited, send } = await two({
      onReport: (report, pool) => told.push([pool.name, report.done]),
      onDrained: async (reports: readonly DrainReport[]) => {
        await settled();
        told.push(reports.length, codes.length);
      },
    });
    send();
    hand.of(1).done();
    await settled();
    expect(told).toEqual([["pool 1", 1]]);
    hand.of(0).done();
    expect(await exited).toBe(0);
    expect(told).toEqual([["pool 1", 1], ["pool 0", 1], 2, 0]);
    expect(pools.every(({ workers }) => workers.length === 0)).toBe(true);
    expect(codes).toEqual([0]);
  });

  it("prints reports unless a callback gets them", async () => {
    const { hand, exited, send } = await two();
    send();
    for (const call of hand.open) call.done();
    await exited;
    expect(error.mock.calls.flat().sort()).toEqual([
      "pool 0: drain finished after 0 ms: 1 done meanwhile, 0 left over, 0 abandoned",
      "pool 1: drain finished after 0 ms: 1 done meanwhile, 0 left over, 0 abandoned",
    ]);
  });

  it("exits with 1 when the time is over, and says what was abandoned", async () => {
    const { clock, exited, send } = await two({ timeoutMs: 50 });
    send();
    clock.advance(50);
    expect(await exited).toBe(1);
    expect(error).toHaveBeenCalledWith(expect.stringContaining("drain timed out after 50 ms"));
  });

  it("has 20 s by default, also when a drain without a limit is under way", async () => {
    const { clock, pools, exited, send, codes } = await two();
    void pools[0]!.drain();
    send();
    clock.advance(19_999);
    await settled();
    expect(codes).toEqual([]);
    clock.advance(1);
    expect(await exited).toBe(1);
  });

  it("gives telemetry twice the time to shut down that it takes at most", async () => {
    const [asked, shutDown] = [signal(), signal()];
    const { clock, hand, exited, send } = await two({
      onDrained: () => {
        asked.give();
        return shutDown.promise;
      },
    });
    send();
    for (const call of hand.open) call.done();
    await asked.promise;
    clock.advance(9_999);
    shutDown.give();
    expect(await exited).toBe(0);
  });

  it("exits with 1 when something is left over because the pool was stopped", async () => {
    const { hand, pools, queues, exited, send } = await two();
    await queues[0]!.put(7);
    void pools[0]!.stop();
    send();
    hand.of(0).done();
    hand.of(1).done();
    expect(await exited).toBe(1);
  });

  it.each(["onReport", "onDrained"] as const)("exits with 1 when %s fails, and says so", async (name) => {
    const { hand, exited, send } = await two({
      [name]: async () => {
        throw new Error("mine");
      },
    });
    send();
    for (const call of hand.open) call.done();
    expect(await exited).toBe(1);
    expect(error).toHaveBeenCalledWith(expect.stringMatching(new RegExp(`^${name} failed: Error: mine`)));
  });

  it("does not wait for a callback that hangs", async () => {
    const reached = signal();
    const { clock, hand, exited, send } = await two({
      onDrained: () => {
        reached.give();
        return new Promise(() => {});
      },
      callbackTimeoutMs: 1,
    });
    send();
    for (const call of hand.open) call.done();
    await reached.promise;
    clock.advance(1);
    expect(await exited).toBe(1);
    expect(error).toHaveBeenCalledWith(expect.stringMatching(/^onDrained failed: .* longer than 1 ms/));
  });

  it.each([2 ** 31, 2 ** 53, Number.POSITIVE_INFINITY])(
    "waits for a callback for %d ms, which is further away than timers reach, and so for none that is too short",
    async (callbackTimeoutMs) => {
      const [asked, shutDown] = [signal(), signal()];
      const { clock, hand, exited, send } = await two({
        onDrained: () => {
          asked.give();
          return shutDown.promise;
        },
        callbackTimeoutMs,
      });
      send();
      for (const call of hand.open) call.done();
      await asked.promise;
      clock.advance(1_000_000);
      await settled();
      shutDown.give();
      expect(await exited).toBe(0);
    },
  );

  it("exits at once with 128 and the signal's number at the second signal, unless that is an echo of the first", async () => {
    const { clock, codes, send } = await two();
    send();
    clock.advance(499);
    send();
    expect(codes).toEqual([]);
    clock.advance(1);
    send();
    expect(codes).toEqual([128 + 12]);
  });

  it("takes another signal for no echo", async () => {
    const { codes, send } = await two({ signals: ["SIGUSR2", "SIGWINCH"] });
    send();
    process.emit("SIGWINCH", "SIGWINCH");
    expect(codes).toEqual([128 + constants.signals.SIGWINCH]);
    process.removeAllListeners("SIGWINCH");
  });

  it("leaves no handler behind when they are taken away, and what goes on still ends the process", async () => {
    const before = process.listenerCount("SIGUSR2");
    const { hand, exited, send, takeAway } = await two();
    expect(process.listenerCount("SIGUSR2")).toBe(before + 1);
    send();
    takeAway();
    takeAway();
    expect(process.listenerCount("SIGUSR2")).toBe(before);
    for (const call of hand.open) call.done();
    expect(await exited).toBe(0);
  });

  it("listens to SIGTERM and SIGINT unless told otherwise, once each", async () => {
    const pool = new WorkerPool(new FifoQueue<number>(), () => {});
    const count = () => [process.listenerCount("SIGTERM"), process.listenerCount("SIGINT")];
    const [term, int] = count();
    const takeAway = drainOnSignals(new Set([pool]));
    expect(count()).toEqual([term! + 1, int! + 1]);
    takeAway();
    expect(count()).toEqual([term, int]);
    const other = drainOnSignals([pool, pool], { signals: ["SIGINT", "SIGINT"] });
    expect(count()).toEqual([term, int! + 1]);
    other();
    await pool.stop();
  });

  const fine = { drain: () => Promise.reject(new Error("never called")) };

  it.each<[string, unknown, unknown]>([
    ["pools", undefined, undefined],
    ["pools", fine, undefined],
    ["pools", [], undefined],
    ["pools[1]", [fine, {}], undefined],
    ["pools[0]", [null], undefined],
    ["options", [fine], 5],
    ["signals", [fine], { signals: "SIGTERM" }],
    ["signals", [fine], { signals: [] }],
    ["signals[0]", [fine], { signals: [15] }],
    ["signals[1]", [fine], { signals: ["SIGTERM", "SIGNAL"] }],
    ["signals[0]", [fine], { signals: ["SIGKILL"] }],
    ["timeoutMs", [fine], { timeoutMs: -1 }],
    ["timeoutMs", [fine], { timeoutMs: null }],
    ["onReport", [fine], { onReport: "print" }],
    ["onDrained", [fine], { onDrained: {} }],
    ["callbackTimeoutMs", [fine], { callbackTimeoutMs: Number.NaN }],
    ["exit", [fine], { exit: 1 }],
    ["clock", [fine], { clock: Date }],
  ])("refuses a bad %s by its name, and listens to nothing", (option, pools, options) => {
    const before = process.listenerCount("SIGTERM");
    expect(() => drainOnSignals(pools as never, options as never)).toThrow(
      expect.objectContaining({ option, code: expect.stringMatching(/^QUEUE_INVALID_OPTION/) }),
    );
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});
