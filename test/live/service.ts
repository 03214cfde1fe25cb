import { PACE } from "./pace.js";
import type { Lifetime } from "./server.js";
import { type Paths, type Stack, startStack } from "./stack.js";

/** Orders a second while all is well, of the fifty that can be shipped. */
const CALM = 20;
/** Besides a fault, which brings customers of its own. */
const QUIET = 1;
const CALM_MS = 240_000;

/** A demo with a history, to which one thing happens at a time. */
export class Service {
  private stack: Promise<Stack> | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly lifetime: Lifetime) {}

  /** Once those who came before are through. The first one has it started, and waits for the end of a long calm. */
  inTurn<T>(paths: Paths, act: (stack: Stack) => Promise<T>): Promise<T> {
    const mine = this.turn.then(async () => {
      this.stack ??= this.start(paths);
      return act(await this.stack);
    });
    this.turn = mine.catch(() => {});
    return mine;
  }

  private async start(paths: Paths): Promise<Stack> {
    const stack = await startStack({ paths, lifetime: this.lifetime }, ["--no-load"]);
    const calm = this.orders(stack, CALM);
    await scraped(stack, PACE.calmScrapes, CALM_MS);
    calm.abort();
    this.orders(stack, QUIET);
    return stack;
  }

  private orders({ demo }: Stack, perSecond: number): AbortController {
    const over = new AbortController();
    this.lifetime(() => over.abort());
    void demo.sendOrders(perSecond, over.signal);
    return over;
  }
}

/** Waits until the demo has been read so many times more, or was to be. */
export async function scraped({ prometheus }: Stack, times: number, patienceMs?: number): Promise<void> {
  const count = async () =>
    (await prometheus.query('sum(count_over_time(up{job="order-service"}[1h]))'))[0]?.value ?? 0;
  const before = await count();
  await prometheus.until(
    `${times} scrapes`,
    async () => ((await count()) >= before + times ? true : undefined),
    patienceMs,
  );
}
