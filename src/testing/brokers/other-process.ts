import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { AnyBrokerKind, BrokerKind } from "./kind.js";
import { Report } from "./recording.js";
import { type How, type Plan, Side } from "./side.js";

/** What the other process can be asked for. */
type Action = "send" | "consume" | "reportOn" | "begun" | "close";

interface Ask {
  readonly id: number;
  readonly action: Action;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** The other process of a case, which does there what a {@link Side} does here. */
export class OtherProcess {
  private readonly asked = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  private count = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on("message", ({ id, result, error }: Answer) => {
      const ask = this.asked.get(id);
      this.asked.delete(id);
      if (error === undefined) ask?.resolve(result);
      else ask?.reject(new assert.AssertionError({ message: `in the other process: ${error}` }));
    });
    const ended = (why: unknown) => {
      for (const { reject } of this.asked.values())
        reject(new Error(`the other process has ended: ${String(why)}`));
    };
    child.on("error", ended);
    child.on("exit", (code, signal) => ended(signal ?? code));
  }

  static start({ otherProcess }: AnyBrokerKind): OtherProcess {
    const { script, args = [], execArgv = process.execArgv } = otherProcess!;
    return new OtherProcess(fork(script, [...args], { execArgv: [...execArgv] }));
  }

  async send(queue: string, plans: readonly Plan[], how: How = {}): Promise<void> {
    await this.ask("send", queue, plans, how);
  }

  async consume(queue: string, how: How = {}): Promise<void> {
    await this.ask("consume", queue, how);
  }

  async begun(count: number): Promise<void> {
    await this.ask("begun", count);
  }

  async reportOn(queue: string, handled: number, settled = handled): Promise<Report> {
    return Report.from((await this.ask("reportOn", queue, handled, settled)) as Report);
  }

  /** As a crash does. */
  async kill(): Promise<void> {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  private ask(action: Action, ...args: unknown[]): Promise<unknown> {
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.child.send({ id, action, args } satisfies Ask, (error) => {
        if (error !== null) reject(error);
      });
    });
  }
}

/**
 * For the other process of {@link brokerConformance}: does there what cases ask for, until this process is killed or the suite's ends. Throws an `Error` in
 * a process that the suite has not started.
 *
 * @example
 * // The script that the kind names in `otherProcess`.
 * declare const kind: BrokerKind<object>;
 * if (process.send) serveBroker(kind);
 */
export function serveBroker<C extends object>(kind: BrokerKind<C>): void {
  if (process.send === undefined) throw new Error("serveBroker: no suite has started this process");
  const side = new Side(kind);
  process.once("disconnect", () => process.exit());
  process.on("message", async ({ id, action, args }: Ask) => {
    let answer: Answer;
    try {
      const method = side[action] as (...all: readonly unknown[]) => Promise<unknown>;
      const result = await method.apply(side, [...args]);
      answer = { id, result: action === "reportOn" ? result : undefined };
    } catch (error) {
      answer = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.send!(answer);
  });
}
