import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { instrument, uninstrument } from "../../src/adapters/instrument.js";
import { type Inspection, inspect } from "../../src/inspector/inspect.js";
import { metricsInText } from "../../src/inspector/local/metrics-text.js";
import type {
  Changes,
  Hello,
  History,
  QueueDetail,
  ReportAnswer,
  ReportHead,
  SearchAnswer,
  Snapshot,
  Tree,
} from "../../src/inspector/protocol.js";
import { CombinedView } from "../../src/inspector/remote/combined-view.js";
import { removeIfStale } from "../../src/inspector/sockets/stale.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { PriorityQueue } from "../../src/queue/priority-queue.js";
import { Watchdog } from "../../src/watchdog/watchdog.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { ask, Events, json } from "./client.js";

let folder: string;
let inspections: Inspection[] = [];
let queues: object[] = [];
let names = 0;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "qs-")), "s");
  process.env.QUEUESCOPE_DIR = folder;
});

afterEach(async () => {
  await Promise.all(inspections.map((each) => each.close()));
  for (const queue of queues) uninstrument(queue);
  inspections = [];
  queues = [];
  rmSync(dirname(folder), { recursive: true, force: true });
  delete process.env.QUEUESCOPE_DIR;
});

async function opened(options?: Parameters<typeof inspect>[0]): Promise<{ socketPath: string }> {
  const inspection = inspect(options);
  inspections.push(inspection);
  const socketPath = await inspection.ready;
  if (socketPath === undefined) throw new Error("there is no socket");
  return { socketPath };
}

function orders(targetMs = 60_000) {
  const name = `orders ${++names}`;
  const queue = instrument(new FifoQueue<string>(), { name, sla: { default: { targetMs } } });
  queues.push(queue);
  return { queue, name };
}

describe("a process that can be looked into", () => {
  it("has a socket that only its user can reach, and takes it away when it no longer can be", async () => {
    const { socketPath } = await opened({ name: "shop / api" });
    expect(lstatSync(folder).mode & 0o777).toBe(0o700);
    expect(lstatSync(socketPath).mode & 0o777).toBe(0o600);
    expect(socketPath).toMatch(new RegExp(`/${process.pid}[.\\d]*-[a-z0-9]+-shop_api\\.sock$`));
    const { processes, protocol, actions } = await json<Hello>({ socketPath }, "/api/v1/hello");
    expect(protocol).toBe(1);
    expect(actions).toEqual([]);
    expect(processes).toMatchObject([{ pid: process.pid, name: "shop / api", node: process.version }]);
    await inspections.pop()!.close();
    expect(existsSync(socketPath)).toBe(false);
  });

  it("is asked for twice, and has one socket: what the last one says counts", async () => {
    const first = await opened({ name: "one" });
    const second = await opened({ name: "two" });
    expect(existsSync(first.socketPath)).toBe(first.socketPath === second.socketPath);
    expect((await json<Hello>(second, "/api/v1/hello")).processes[0]!.name).toBe("two");
  });

  it("shows the figures that Prometheus gets at the same moment", async () => {
    const { queue, name } = orders();
    const target = await opened();
    for (const item of ["a", "b", "c"]) await queue.put(item);
    (await queue.receive()).done();
    await queue.receive();
    const { queues: rows } = await json<Snapshot>(target, "/api/v1/snapshot");
    const row = rows.find((each) => each.name === name)!;
    const text = await metricsInText();
    const value = (metric: string) =>
      Number(new RegExp(`^${metric}\\{[^}]*queue_name="${name}"[^}]*\\} (\\S+)$`, "m").exec(text)![1]);
    expect(row).toMatchObject({
      scope: "process",
      depth: value("queue_depth"),
      inFlight: value("queue_inflight"),
    });
    expect(row.totals).toMatchObject({
      enqueued: value("queue_enqueued_total"),
      dequeued: value("queue_dequeued_total"),
      succeeded: 1,
    });
    expect(row).toMatchObject({ depth: 1, inFlight: 1, health: "ok" });
    expect((await ask(target, "/metrics")).text).toContain(
      `queue_depth{queue_name="${name}",queue_tier="default"} 1`,
    );
  });

  it("tells what changes: figures, new queues, and those that are gone", async () => {
    const { queue, name } = orders();
    const target = await opened();
    const events = new Events(target);
    const { queues: rows } = await events.next<Snapshot>("snapshot");
    expect(rows.find((each) => each.name === name)).toMatchObject({ depth: 0, health: "idle" });
    await queue.put("a");
    const other = orders();
    const changed = await events.next<Changes>("changes", (each) =>
      each.queues.some((row) => row.name === name && row.depth === 1),
    );
    expect(changed.queues.find((row) => row.name === name)).not.toHaveProperty("tiers[0].sla");
    const isThere = (each: Changes) =>
      each.queues.some((row) => row.name === other.name && row.scope === "process");
    await events.next<Changes>("changes", isThere);
    uninstrument(other.queue);
    await events.next<Changes>(
      "changes",
      ({ gone }) => gone?.some((row) => row.name === other.name) === true,
    );
    events.close();
  });

  it("shows one queue with its head, its tasks, its workers and what failed", async () => {
    const { queue, name } = orders();
    let isOver = () => {};
    const over = new Promise<void>((resolve) => {
      isOver = resolve;
    });
    const pool = new WorkerPool(
      queue,
      async (item, task) => {
        if (item === "bad") throw Object.assign(new Error("no such cat"), { code: "E_CAT" });
        task.step("painting");
        await over;
      },
      { name: "painters", concurrency: 1 },
    );
    pool.on("failed", () => {});
    const target = await opened({
      payload: (item) => ({ item }),
      redact: (text) => text.replaceAll("cat", "***"),
    });
    await queue.put("bad");
    await queue.put("cat", { correlationId: "first" });
    await queue.put("cat too", { correlationId: "cat-2" });
    const isBusy = ({ tasks }: QueueDetail) => tasks[0]?.step === "painting";
    const events = new Events(target, `/api/v1/events?queue=${encodeURIComponent(name)}`);
    const detail = await events.next<QueueDetail>("queue", isBusy);
    expect(detail.tasks).toMatchObject([{ correlationId: "first", worker: "painters 1", attempt: 1 }]);
    expect(detail.head).toMatchObject([{ correlationId: "***-2", payload: { item: "*** too" } }]);
    expect(detail.pools).toMatchObject([
      { name: "painters", workers: [{ id: 1, state: "processing", correlationId: "first" }] },
    ]);
    expect(detail.failures).toMatchObject([{ kind: "E_CAT", count: 1, message: "Error: no such ***" }]);
    const tree = await json<Tree>(target, "/api/v1/tree");
    expect(tree.processes[0]!.queues.find((each) => each.name === name)).toMatchObject({ inFlight: 1 });
    const found = await json<SearchAnswer>(target, "/api/v1/search?q=cat-2");
    expect(found.found).toMatchObject([{ queue: name, where: "waiting", position: 1 }]);
    expect((await json<SearchAnswer>(target, "/api/v1/search?q=first")).found).toMatchObject([
      { queue: name, where: "in flight", task: { step: "painting" } },
    ]);
    events.close();
    isOver();
    await pool.drain();
  });

  it("shows no items unless it is asked to", async () => {
    const { queue, name } = orders();
    await queue.put("secret", { correlationId: "x" });
    const target = await opened();
    const { text } = await ask(target, `/api/v1/queue?queue=${encodeURIComponent(name)}`);
    expect(JSON.parse(text).head).toHaveLength(1);
    expect(text).not.toContain("secret");
  });

  it("tells of a breach with its cause, keeps its report, and finds it by what is in it", async () => {
    const target = await opened();
    const events = new Events(target);
    await events.next("snapshot");
    const { queue, name } = orders(50);
    const watchdog = new Watchdog({ everyMs: 20, print: false, stallThresholdMs: Number.POSITIVE_INFINITY })
      .watch(queue)
      .start();
    await queue.put("a", { correlationId: "late one" });
    const head = await events.next<ReportHead>("breach", (each) => each.queue === name);
    const answer = await json<ReportAnswer>(target, `/api/v1/report?id=${head.id}`);
    expect(answer).toMatchObject({ queue: name, verdict: head.verdict, report: { queue: name } });
    expect(answer.text).toContain(`BREACH queue=${name}`);
    expect((await ask(target, `/api/v1/report?id=${head.id}&format=text`)).text).toBe(`${answer.text}\n`);
    const isWhy = (each: Changes) =>
      each.queues.some((row) => row.name === name && row.why?.verdict !== undefined);
    await events.next<Changes>("changes", isWhy);
    const { found } = await json<SearchAnswer>(target, "/api/v1/search?q=late%20one");
    expect(found.map(({ where }) => where).sort()).toContain("report");
    await queue.get();
    await events.next("cleared", (each: { queue: string }) => each.queue === name);
    events.close();
    await watchdog.stop();
  });

  it("has a cause for a breach also where no watchdog runs", async () => {
    const { queue, name } = orders(50);
    await queue.put("a");
    const target = await opened();
    const events = new Events(target);
    const isWhy = (each: Changes) =>
      each.queues.some((row) => row.name === name && row.why !== undefined && row.why !== null);
    const changes = await events.next<Changes>("changes", isWhy);
    expect(changes.queues.find((row) => row.name === name)!.health ?? "breach").toBe("breach");
    events.close();
  });

  it("has the history of a queue with the depth at each second", async () => {
    const { queue, name } = orders();
    const target = await opened();
    const events = new Events(target);
    await events.next("snapshot");
    await queue.put("a");
    await events.next<Changes>("changes", (each) =>
      each.queues.some((row) => row.name === name && row.depth === 1),
    );
    const history = await json<History>(target, `/api/v1/history?queue=${encodeURIComponent(name)}`);
    expect(history.stepMs).toBe(1_000);
    expect(history.depth.at(-1)).toBe(1);
    expect(history.arrived.reduce<number>((sum, each) => sum + (each ?? 0), 0)).toBe(1);
    expect(history.waits.tiers).toMatchObject([{ name: "default", slaMs: 60_000 }]);
    events.close();
  });

  it.each([
    ["/api/v1/nothing", 404, "not_found"],
    ["/api/v1/queue", 400, "bad_request"],
    ["/api/v1/queue?queue=none", 404, "not_found"],
    ["/api/v1/report?id=none", 404, "not_found"],
    ["/api/v1/snapshot?process=none", 404, "not_found"],
    ["/api/v1/search", 400, "bad_request"],
    ["/api/v1/action", 405, "method_not_allowed"],
    ["/", 404, "not_found"],
    ["/%", 400, "bad_request"],
  ])("answers %s with %i", async (path, status, code) => {
    const answer = await ask(await opened(), path);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error.code).toBe(code);
  });

  it("lets no more clients in than it may, and is there for the others", async () => {
    const target = await opened({ maxClients: 1 });
    const first = new Events(target);
    await first.next("snapshot");
    const refused = await ask(target, "/api/v1/events");
    expect(refused.status).toBe(429);
    first.close();
    await first.over();
    const second = new Events(target);
    await second.next("snapshot");
    second.close();
  });

  it("has names of tiers and queues as they are, whatever is in them", async () => {
    const name = `<script>alert(1)</script>\u202e\n"${++names}`;
    const queue = instrument(new PriorityQueue<string>({ tiers: { __proto__: 1, "a\0b": 2 } as never }), {
      name,
    });
    queues.push(queue);
    const target = await opened();
    const { queues: rows } = await json<Snapshot>(target, "/api/v1/snapshot");
    expect(rows.find((row) => row.name === name)).toBeDefined();
    const answer = await ask(target, `/api/v1/queue?queue=${encodeURIComponent(name)}`);
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  });
});

describe("what looks for processes", () => {
  it("finds them, and takes away sockets to which nothing listens", async () => {
    const { socketPath } = await opened();
    const stale = join(folder, "99999-abc-gone.sock");
    const code = `require("node:net").createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(spawnSync(process.execPath, ["-e", code]).signal).toBe("SIGKILL");
    writeFileSync(join(folder, "99998-abc-none.sock.txt"), "not ours");
    expect(existsSync(stale)).toBe(true);
    const view = new CombinedView();
    await view.find();
    expect(view.processes).toMatchObject([{ pid: process.pid }]);
    // It could be one that is about to listen.
    expect(existsSync(stale)).toBe(true);
    expect(await removeIfStale(stale, 0)).toBe(true);
    expect(existsSync(stale)).toBe(false);
    expect(await removeIfStale(socketPath, 0)).toBe(false);
    expect(existsSync(socketPath)).toBe(true);
    view.close();
  });

  it("doesn't trust a folder that others may write to", async () => {
    mkdirSync(folder, { mode: 0o777 });
    const view = new CombinedView();
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    const inspection = inspect();
    inspections.push(inspection);
    // The umask may have made it safe.
    if ((lstatSync(folder).mode & 0o077) !== 0) {
      expect(await inspection.ready).toBeUndefined();
      expect((await warned).message).toMatch(/can't be looked into: .*open to others/);
    }
    view.close();
  });

  it("says in one warning why there is no socket, and goes on", async () => {
    process.env.QUEUESCOPE_DIR = join(dirname(folder), "x".repeat(120));
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    const inspection = inspect();
    inspections.push(inspection);
    expect(await inspection.ready).toBeUndefined();
    expect((await warned).message).toMatch(/can't be looked into: .*too long/);
    await inspection.close();
  });
});
