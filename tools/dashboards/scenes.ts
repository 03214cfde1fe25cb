import { readFileSync, writeFileSync } from "node:fs";
import { freePort } from "../../scripts/stack/ports.js";
import { findPrograms } from "../../scripts/stack/programs.js";
import { scrapeMs, writePrometheus } from "../../test/live/config.js";
import { FAULTS } from "../../test/live/faults.js";
import { PACE } from "../../test/live/pace.js";
import { Prometheus } from "../../test/live/prometheus.js";
import { type Lifetime, Server } from "../../test/live/server.js";
import { scraped } from "../../test/live/service.js";
import { type Paths, startStack } from "../../test/live/stack.js";

/** What has happened when a dashboard is looked at. */
export interface Scene {
  readonly name: string;
  /** Lets it happen; resolves when it can be looked at. */
  readonly play: (lifetime: Lifetime) => Promise<Played>;
  /** Whether any panel may be empty. */
  readonly isPartial?: boolean;
  /** Titles of panels that have nothing to show, each with the reason. What isn't here must have something. */
  readonly empty: Readonly<Record<string, string>>;
}

export interface Played {
  /** Of Prometheus. */
  readonly address: string;
  /** Until when, in seconds of unix time. */
  readonly to: number;
  readonly faster?: { readonly to: number; readonly scrapeMs: number };
}

/** Scrapes: of all that a dashboard shows, which is an hour's worth, and of what goes wrong in it. */
const HOUR = 240;
const FAULT = 100;
const FEW = 10;
/** Orders a second while all is well. */
const CALM = 20;

/** Titles of panels, and why there is nothing in them. */
type Empty = Scene["empty"];

/** Faults of the demo with which attempts fail. */
const FAILING = new Set(["failing-handler", "carrier-down"]);

const because = (reason: string, ...titles: string[]): Empty =>
  Object.fromEntries(titles.map((title) => [title, reason]));

const NO_BROKER = because(
  "there is no broker",
  ...["Consumers that the broker knows", "Redelivered", "Stale settles", "Clock against the broker's"],
  ...["Taken before they were put", "Queues in brokers, the latest first"],
  ...["Waiting and in flight in the broker", "Oldest in the broker"],
);
const ALL_WELL = because(
  "nothing is wrong",
  ...["Firing alerts", "Causes that the watchdog found", "Breaches, by verdict", "Breaches, by hour"],
  ...["Failing most, top 10", "Failures by kind, top 10", "How they got there, the oldest items first"],
);
const NO_FAILURE = because("no attempt fails", "Failing most, top 10", "Failures by kind, top 10");
const OF_THIS_HOUR = because("the hour isn't over", "Breaches, by hour");
const NO_GATE = because(
  "no queue has a gate",
  ...["Open breakers", "Breakers", "Wait for a gate", "Gates in use"],
);

export const SCENES: readonly Scene[] = [
  { name: "calm", play: (lifetime) => demo(lifetime, async () => {}), empty: { ...NO_BROKER, ...ALL_WELL } },
  ...FAULTS.flat().map(({ name, begin }) => ({
    name: name.replace(" ", "-"),
    play: (lifetime: Lifetime) => demo(lifetime, begin),
    empty: { ...NO_BROKER, ...OF_THIS_HOUR, ...(FAILING.has(name) ? {} : NO_FAILURE) },
  })),
  {
    name: "restart",
    play: (lifetime) =>
      demo(lifetime, async (service) => {
        await service.crash();
        await service.restart();
      }),
    empty: { ...NO_BROKER, ...ALL_WELL },
  },
  {
    name: "many-queues",
    play: (lifetime) => processes(lifetime, 1, 30),
    empty: { ...NO_BROKER, ...NO_GATE },
  },
  { name: "replicas", play: (lifetime) => processes(lifetime, 5, 3), empty: { ...NO_BROKER, ...NO_GATE } },
  { name: "no-data", play: (lifetime) => processes(lifetime, 0, 0), isPartial: true, empty: {} },
];

/** Prometheus alone: for dashboards that are about it. */
export const STARTED: Scene = { name: "started", play: (lifetime) => processes(lifetime, 0, 0), empty: {} };

/** An hour of the order service: calm, and then what `happens`. */
async function demo(
  lifetime: Lifetime,
  happens: (demo: Awaited<ReturnType<typeof startStack>>["demo"]) => Promise<void>,
): Promise<Played> {
  const stack = await startStack({ paths: programs(), lifetime }, ["--no-load"]);
  const over = new AbortController();
  lifetime(() => over.abort());
  void stack.demo.sendOrders(CALM, over.signal);
  await scraped(stack, HOUR - FAULT);
  await happens(stack.demo);
  await scraped(stack, FAULT);
  return played(stack.prometheus);
}

/** Some processes with some queues each, under Prometheus with the committed rules. */
async function processes(lifetime: Lifetime, count: number, queues: number): Promise<Played> {
  const targets: string[] = [];
  for (let i = 0; i < count; i++) {
    const address = `127.0.0.1:${await freePort()}`;
    const app = new Server(lifetime, process.execPath, [
      ...["--import", "tsx", `${import.meta.dirname}/queues.ts`],
      ...["--port", address.split(":")[1]!, "--queues", `${queues}`, "--seed", `${i}`],
    ]);
    await app.until("its metrics", () => (app.output.includes("ready") ? true : undefined));
    targets.push(address);
  }
  const prometheus = await Prometheus.start(
    lifetime,
    programs().prometheus,
    (folder, address) => {
      const file = writePrometheus(folder, {
        "demo:9464": targets[0] ?? address,
        "prometheus:9090": address,
        "alertmanager:9093": address,
      });
      scrapeOnly(file, targets);
      return file;
    },
    PACE.args,
  );
  const [job, enough] = count > 0 ? ["order-service", HOUR] : ["prometheus", FEW];
  await prometheus.until("scrapes", async () => {
    const [scrapes] = await prometheus.query(`min(count_over_time(up{job="${job}"}[1h]))`);
    return (scrapes?.value ?? 0) >= enough ? true : undefined;
  });
  return played(prometheus);
}

/** Of the job that reads the demo, these are the targets. */
function scrapeOnly(file: string, targets: readonly string[]): void {
  const config = JSON.parse(readFileSync(file, "utf8"));
  for (const job of config.scrape_configs) {
    if (job.job_name === "order-service") job.static_configs = [{ targets }];
  }
  writeFileSync(file, JSON.stringify(config));
}

function played({ address }: Prometheus): Played {
  // A scrape that is under way has come by then.
  const to = Math.floor(Date.now() / 1_000) - 1;
  return { address, to, faster: { to, scrapeMs: scrapeMs() } };
}

function programs(): Paths {
  const { prometheus, alertmanager } = findPrograms();
  return { prometheus, "prometheus-alertmanager": alertmanager };
}
