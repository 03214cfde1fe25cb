import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { readOptions as demoOptions } from "../../examples/order-service/options.js";
import { Place } from "../../scripts/stack/place.js";
import { inRepository } from "../../scripts/stack/repository.js";
import { demoByHand } from "../../scripts/stack/servers.js";
import { itWith } from "../live/servers.js";
import { until } from "../live/until.js";
import { compose, read } from "./compose.js";
import { RunningStack } from "./running-stack.js";

const run = promisify(execFile);
const live = itWith("prometheus", "prometheus-alertmanager", "amtool");

live(
  "npm run stack: everything is up, with the committed rules, and nothing is left",
  async ({ paths, lifetime }) => {
    const stack = new RunningStack(lifetime);
    const rows = await stack.rows();
    expect([...rows.keys()]).toEqual(
      expect.arrayContaining(["Orders", "Alerts", "Alertmanager", "Processes", "Stop"]),
    );

    expect(await fetch(rows.get("Alerts")!)).toMatchObject({ status: 200 });
    const prometheus = new URL(rows.get("Alerts")!).origin;
    const targets = await until("targets that are all up", async () => {
      const { activeTargets } = await ask<Targets>(prometheus, "targets");
      const up = activeTargets.filter(({ health }) => health === "up");
      return up.length > 0 && up.length === activeTargets.length ? up : undefined;
    });
    const jobs = targets.map(({ labels }) => labels.job);
    expect(jobs.sort()).toEqual(["alertmanager", "order-service", "prometheus"]);

    const { groups } = await ask<Groups>(prometheus, "rules");
    expect(groups.flatMap(({ rules }) => rules.map(({ name }) => name)).sort()).toEqual(
      committedRules().sort(),
    );
    expect(groups.flatMap(({ rules }) => rules.filter(({ health }) => health === "err"))).toEqual([]);

    const alertmanager = rows.get("Alertmanager")!;
    const { activeAlertmanagers } = await until("Prometheus that knows Alertmanager", async () => {
      const known = await ask<Alertmanagers>(prometheus, "alertmanagers");
      return known.activeAlertmanagers.length > 0 ? known : undefined;
    });
    expect(activeAlertmanagers.map(({ url }) => new URL(url).origin)).toEqual([alertmanager]);

    // The containers' health checks, at these addresses, by programs of the same names.
    const [, , ...amtool] = checkOf("alertmanager", "http://127.0.0.1:9093", alertmanager);
    await run(paths.amtool, amtool);
    const [, , ...node] = checkOf("demo", "http://127.0.0.1:9464/metrics", rows.get("Metrics")!);
    await run(process.execPath, node);

    const processes = [...rows.get("Processes")!.matchAll(/\d+/g)].map(([pid]) => Number(pid));
    expect(processes.filter(isRunning)).toHaveLength(4);
    expect(stack.folders).toHaveLength(1);
    stack.stop();
    expect(await stack.ended, stack.output).toBe(0);
    expect(processes.filter(isRunning)).toEqual([]);
    expect(stack.folders).toEqual([]);
  },
);

live("npm run stack goes on without the demo, and what it says brings that back", async ({ lifetime }) => {
  const stack = new RunningStack(lifetime);
  const rows = await stack.rows();
  process.kill(Number(/demo (\d+)/.exec(rows.get("Processes")!)![1]), "SIGKILL");
  const [, command] = await until(
    "word of it",
    () => /demo has ended \(SIGKILL\).*: npm run demo -- (.+)/.exec(stack.output) ?? undefined,
  );
  const typed = command!.split(" ");
  expect(demoOptions(typed)).toMatchObject({
    // It has customers, and what is more would be dropped: an alert for ever.
    load: false,
    port: Number(new URL(rows.get("Orders")!).port),
    "metrics-port": Number(new URL(rows.get("Metrics")!).port),
    "report-dir": join(dirname(rows.get("Logs")!), "reports"),
  });
  // Without the build, which npm does first.
  const args = ["--import", "tsx", "examples/order-service/main.ts", ...typed];
  const demo = spawn(process.execPath, args, { cwd: inRepository("."), stdio: "ignore" });
  lifetime(async () => {
    demo.kill("SIGKILL");
    if (demo.exitCode === null && demo.signalCode === null) await once(demo, "exit");
  });
  await until("an order", async () => {
    const answer = await fetch(rows.get("Metrics")!).catch(() => undefined);
    const text = (await answer?.text()) ?? "";
    return /^queue_enqueued_total\{.*queue_name="orders".*\} [1-9]/m.test(text) || undefined;
  });
});

it("npm run stack quotes what has a space in the command that brings the demo back", () => {
  const ports = { demo: 1, metrics: 2, prometheus: 3, alertmanager: 4, grafana: 5 };
  const place = new Place(join("my folder", "stack"), ports);
  expect(demoByHand(place)).toBe(
    `npm run demo -- --no-load --port 1 --metrics-port 2 --report-dir "${place.path("reports")}"`,
  );
});

live("npm run stack ends when one of the servers does, with its last words", async ({ lifetime }) => {
  const stack = new RunningStack(lifetime);
  const rows = await stack.rows();
  const processes = [...rows.get("Processes")!.matchAll(/\d+/g)].map(([pid]) => Number(pid));
  process.kill(Number(/prometheus (\d+)/.exec(rows.get("Processes")!)![1]), "SIGKILL");
  expect(await stack.ended).toBe(1);
  expect(stack.output).toMatch(/^prometheus has ended \(SIGKILL\):\n.+/m);
  expect(stack.folders).toEqual([]);
  expect(processes.filter(isRunning)).toEqual([]);
});

live(
  "npm run stack takes no other port than the one you ask for, and leaves nothing",
  async ({ lifetime }) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    lifetime(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const stack = new RunningStack(lifetime, ["--prometheus-port", `${port}`]);
    expect(await stack.ended).toBe(1);
    expect(stack.output).toContain(`Port ${port} is taken`);
    expect(stack.folders).toEqual([]);
  },
);

live("npm run stack can be stopped before everything is ready", async ({ lifetime }) => {
  const stack = new RunningStack(lifetime);
  await until("a first sign", () => stack.folders.length > 0 || undefined);
  stack.stop();
  expect(await stack.ended, stack.output).toBe(0);
  expect(stack.folders).toEqual([]);
});

it("npm run stack names the packages of what is missing", async () => {
  const stack = new RunningStack((end) => onTestFinished(async () => void (await end())), [], { PATH: "" });
  expect(await stack.ended).toBe(1);
  expect(stack.output).toContain("apt-get install prometheus prometheus-alertmanager");
});

interface Targets {
  activeTargets: { labels: { job: string }; health: string }[];
}

interface Groups {
  groups: { rules: { name: string; health: string }[] }[];
}

interface Alertmanagers {
  activeAlertmanagers: { url: string }[];
}

async function ask<Answer>(prometheus: string, what: string): Promise<Answer> {
  const response = await fetch(`${prometheus}/api/v1/${what}`);
  return ((await response.json()) as { data: Answer }).data;
}

function committedRules(): string[] {
  const files = readdirSync(inRepository("grafana/rules")).filter((name) => name.endsWith(".yml"));
  return files.flatMap((file) =>
    (read(`grafana/rules/${file}`).groups as { rules: { alert?: string; record?: string }[] }[]).flatMap(
      ({ rules }) => rules.map(({ alert, record }) => alert ?? record ?? ""),
    ),
  );
}

/** The health check of a service, with another address in it. */
function checkOf(service: string, from: string, to: string): string[] {
  const test = compose.services[service]!.healthcheck!.test!;
  expect(test.join(" ")).toContain(from);
  return test.map((word) => word.replace(from, to));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
