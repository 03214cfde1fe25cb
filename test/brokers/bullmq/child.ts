import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a child can be asked for, by name. */
type Actions = Readonly<Record<string, (...args: never[]) => unknown>>;

interface Ask {
  readonly id: number;
  readonly action: string;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A process of its own, which runs a file that calls {@link serve}. */
export class Child<A extends Actions> {
  private readonly asked = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  private count = 0;

  private constructor(private readonly process: ChildProcess) {
    process.on("message", ({ id, result, error }: Answer) => {
      const ask = this.asked.get(id);
      this.asked.delete(id);
      if (error === undefined) ask?.resolve(result);
      else ask?.reject(new Error(error));
    });
    process.on("exit", (code, signal) => {
      for (const { reject } of this.asked.values())
        reject(new Error(`the child has ended: ${code ?? signal}`));
    });
  }

  static start<A extends Actions>(file: URL): Child<A> {
    return new Child(fork(fileURLToPath(file), { execArgv: ["--import", "tsx"] }));
  }

  ask<Name extends keyof A & string>(
    action: Name,
    ...args: Parameters<A[Name]>
  ): Promise<Awaited<ReturnType<A[Name]>>> {
    const id = this.count++;
    const ask: Ask = { id, action, args };
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.process.send(ask);
    });
  }

  /** As a crash does. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await ended;
  }
}

/** In a child: does what it is asked for. */
export function serve(actions: Actions): void {
  process.on("message", async ({ id, action, args }: Ask) => {
    try {
      const result = await actions[action]!(...(args as never[]));
      process.send!({ id, result } satisfies Answer);
    } catch (error) {
      process.send!({ id, error: error instanceof Error ? error.stack! : String(error) } satisfies Answer);
    }
  });
}
