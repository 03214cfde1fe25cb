import { expect, vi } from "vitest";
import { FifoQueue, instrument, PriorityQueue, uninstrument, Watchdog, WorkerPool } from "../../src/index.js";
import {
  type History,
  type InspectorServer,
  type ServeInspectorOptions,
  type Snapshot,
  serveInspector,
} from "../../src/inspect.js";

type Payload = { readonly text: string };

/** Queues in this process with their live view, in a state that stands still: two tasks that don't end, and items behind them. */
export class Shop {
  private constructor(
    readonly view: InspectorServer,
    readonly queue: PriorityQueue<Payload>,
    private readonly pool: WorkerPool<Payload>,
    private readonly watchdog: Watchdog,
    private readonly letGo: () => void,
  ) {}

  /** `mark` is in every text that a user can give. */
  static async open(mark = "", options: ServeInspectorOptions = {}): Promise<Shop> {
    const view = await serveInspector({
      port: 0,
      payload: (item) => item,
      traceUrl: "https://traces.example/{traceId}",
      ...options,
    });
    const [gold, plain] = [`gold${mark}`, `plain${mark}`];
    const queue = instrument(
      new PriorityQueue<Payload>({ capacity: 20, whenFull: "reject", tiers: { [gold]: 0, [plain]: 10 } }),
      { name: `orders${mark}`, sla: { [gold]: { targetMs: 100 }, [plain]: { targetMs: 600_000 } } },
    );
    const watchdog = new Watchdog({ everyMs: 20 }).watch(queue);
    let letGo = () => {};
    const over = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let tell = () => {};
    const begun = new Promise<void>((resolve) => {
      tell = resolve;
    });
    let packing = 0;
    const dead = new FifoQueue<Payload>();
    const pool = new WorkerPool(
      queue,
      async ({ text }, task) => {
        if (text.startsWith("fails")) throw new Error(`could not ship${mark}`);
        task.step(`packing${mark}`);
        if (++packing === 2) tell();
        await over;
      },
      { name: `packers${mark}`, concurrency: 2, retry: { attempts: 1 }, deadLetter: dead },
    );
    watchdog.watch(pool).start();
    const put = (text: string, tier: string, id: string) =>
      queue.put({ text: `${text}${mark}` }, { tier, correlationId: `${id}${mark}` });
    // What has failed before it is known to the view is not kept.
    await seen(view, `orders${mark}`);
    await put("fails", plain, "failed");
    await dead.put(await dead.get());
    for (let i = 1; i <= 2; i++) await put("ships", plain, `shipping-${i}`);
    await begun;
    for (let i = 1; i <= 9; i++) await put("waits", i > 7 ? plain : gold, `waiting-${i}`);
    return new Shop(view, queue, pool, watchdog, letGo);
  }

  /** `path` is what stands behind the `#`. */
  url(path = "/"): string {
    return `${this.view.url}#${path}`;
  }

  /** How deep a queue was at the last five looks, as the view has it. */
  async lately(queue: string): Promise<History["depth"]> {
    const answer = await fetch(`${this.view.url}api/v1/history?queue=${encodeURIComponent(queue)}`);
    return ((await answer.json()) as History).depth.slice(-5);
  }

  async close(): Promise<void> {
    this.letGo();
    await this.pool.stop();
    await this.watchdog.stop();
    uninstrument(this.queue);
    await this.view.close();
  }
}

async function seen({ url }: InspectorServer, queue: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const { queues } = (await (await fetch(`${url}api/v1/snapshot`)).json()) as Snapshot;
      expect(queues.map(({ name }) => name)).toContain(queue);
    },
    { timeout: 60_000, interval: 50 },
  );
}
