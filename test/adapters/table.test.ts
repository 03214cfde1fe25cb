import { readFileSync } from "node:fs";
import async from "async";
import fastq from "fastq";
import PQueue from "p-queue";
import { afterAll, describe, expect, it } from "vitest";
import { generic } from "../../src/adapters/generic.js";
import { instrumentHandler } from "../../src/adapters/handler.js";
import { type InstrumentOptions, instrument } from "../../src/adapters/instrument.js";
import { INSTRUMENTS } from "../../src/telemetry/metrics/instruments.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { OF_BROKERS_ONLY } from "../support/of-brokers.js";
import { MetricCapture, SpanCapture } from "../support/telemetry-capture.js";

const DOCS = readFileSync(new URL("../../docs/telemetry.md", import.meta.url), "utf8");

/** The table of what each library makes possible: for each row, its cells. */
function table(): string[][] {
  const [rows] = DOCS.slice(DOCS.indexOf("### Queues of other libraries")).match(/(?:^\|.*\|$\n)+/m)!;
  return rows
    .trim()
    .split("\n")
    .map((row) => row.slice(1, -1).split("|"))
    .map((cells) => cells.map((cell) => cell.replaceAll("`", "").trim()));
}

const [header, , ...ROWS] = table() as [string[], string[], ...string[][]];
const metrics = new MetricCapture("producer");
const spans = new SpanCapture();
afterAll(() => Promise.all([metrics.stop(), spans.stop()]));

async function handle(item: string | undefined): Promise<string | undefined> {
  if (item === "bad") throw new Error(item);
  return item;
}

/** A queue of the column's library through which two items go, of which one fails. */
async function use(library: string, name: string, isWrapped: boolean): Promise<object> {
  const options: InstrumentOptions = { name, sla: { default: { targetMs: 1_000, completeMs: 60_000 } } };
  const wrap = <F extends (...args: never[]) => unknown>(worker: F): F =>
    isWrapped ? instrumentHandler(worker, { name }) : worker;
  if (library === "p-queue") {
    const queue = instrument(new PQueue(), options);
    await queue.add(async () => "done");
    await queue.add(() => handle("bad")).catch(() => {});
    return queue;
  }
  if (library === "fastq") {
    const queue = instrument(fastq.promise(wrap(handle), 1), options);
    await queue.push("item");
    await queue.push("bad").catch(() => {});
    return queue;
  }
  if (library === "async") {
    const queue = instrument(async.queue(wrap(handle), 1), options);
    await queue.push("item");
    await queue.push("bad").catch(() => {});
    return queue;
  }
  const work = wrap(handle);
  const queue = instrument(new Bag(), {
    ...options,
    adapter: generic({ put: "put", get: "get", size: "size" }),
  });
  for (const item of ["item", "bad"]) {
    queue.put(item);
    await work(queue.get()).catch(() => {});
  }
  return queue;
}

class Bag {
  readonly items: string[] = [];
  put = (item: string) => this.items.push(item);
  get = () => this.items.pop();
  size = () => this.items.length;
}

describe.each(header.slice(1).map((library, i) => ({ library, column: i + 1 })))(
  "what the table says of $library",
  ({ library, column }) => {
    it.each([true, false])("is so (worker wrapped: %s)", async (isWrapped) => {
      const name = `table ${library} ${isWrapped}`;
      const queue = await use(library, name, isWrapped);
      new Watchdog().watch(queue);
      const collected = await metrics.collect();
      const found: string[] = [];
      const promised: string[] = [];
      for (const row of ROWS) {
        const [what, reason] = row[0]!.split(", ");
        const cell = row[column]!;
        if (cell !== "no" && (isWrapped || cell !== "(w)")) promised.push(row[0]!);
        if (what!.startsWith("span ")) {
          const span = what!.slice("span ".length).replace("{queue}", name);
          if ((await spans.named(span)).length > 0) found.push(row[0]!);
        } else {
          const attributes = {
            "queue.name": name,
            ...(what === "queue.dropped" ? { "queue.reason": reason! } : {}),
          };
          if (collected.points(what!, attributes).length > 0) found.push(row[0]!);
        }
      }
      expect(found).toEqual(promised);
      expect(queue).toBeDefined();
    });
  },
);

it("the table has a row for every metric of a queue", () => {
  const rows = new Set(ROWS.map(([what]) => what!.split(", ")[0]));
  const ofQueues = Object.entries(INSTRUMENTS).filter(([, { attributes }]) => attributes.length > 0);
  const missing = ofQueues.map(([name]) => name).filter((name) => !rows.has(name));
  expect(missing.sort()).toEqual([...OF_BROKERS_ONLY].sort());
});
