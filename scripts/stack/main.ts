import { mkdtempSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { alertsPage } from "./alerts-page.js";
import { PASSWORD_FILE } from "./grafana.js";
import { type Options, readOptions, USAGE } from "./options.js";
import { Place } from "./place.js";
import { choosePort } from "./ports.js";
import { findPrograms, type Programs } from "./programs.js";
import { demoByHand } from "./servers.js";
import { Stack } from "./stack.js";

async function run({ ports, seconds }: Options): Promise<void> {
  const programs = findPrograms();
  // One after the other: at the same time, two could be given the same one.
  const chosen = {
    demo: await choosePort(ports.port),
    metrics: await choosePort(ports["metrics-port"]),
    prometheus: await choosePort(ports["prometheus-port"]),
    alertmanager: await choosePort(ports["alertmanager-port"]),
    grafana: await choosePort(ports["grafana-port"]),
  };
  const place = new Place(mkdtempSync(join(tmpdir(), "queuescope-stack-")), chosen);
  const stack = new Stack(place);
  process.once("exit", () => stack.kill());
  const stopped = stopRequested(seconds);
  try {
    const started = stack
      .start(programs, say)
      .then(async () => console.log(await whatThereIs(place, programs, stack)));
    const running = started.then(() => {
      void stack.demoEnded().then((how) => {
        if (!stopping) say(`${how}. Prometheus misses it; this brings it back: ${demoByHand(place)}`);
      });
      return stack.watch();
    });
    const reason = await Promise.race([stopped, running]);
    console.log(`\n${reason}: stopping, in order.`);
  } finally {
    stopping = true;
    await stack.stop();
  }
  console.log("Everything has stopped; nothing is left.");
}

let stopping = false;

/** Resolves, with the reason, at the first signal or after the time. The second signal ends everything at once. */
function stopRequested(seconds: number | undefined): Promise<string> {
  return new Promise((resolve) => {
    if (seconds !== undefined) setTimeout(resolve, seconds * 1_000, `${seconds} s are over`).unref();
    let signals = 0;
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.on(name, () => {
        if (signals++ === 0) resolve(name);
        else process.exit(128 + constants.signals[name]);
      });
    }
  });
}

async function whatThereIs(place: Place, { grafana }: Programs, stack: Stack): Promise<string> {
  const orders = place.url("demo", "/order");
  const rows = [
    ["Orders", orders],
    ["Metrics", place.url("metrics", "/metrics")],
    ["Alerts", await alertsPage(place)],
    ["Alertmanager", place.url("alertmanager")],
    [
      "Grafana",
      grafana === undefined ? NO_GRAFANA : `${place.url("grafana")}, admin, ${place.path(PASSWORD_FILE)}`,
    ],
    ["Break it", `curl -X PUT ${place.url("demo", "/faults/no-consumer")}`],
    ["Mend it", `curl -X DELETE ${place.url("demo", "/faults/no-consumer")}`],
    ["All faults", place.url("demo", "/faults")],
    ["Processes", stack.children.map(({ name, pid }) => `${name} ${pid}`).join(", ")],
    ["Logs", place.path("*.log")],
    ["Stop", `Ctrl+C, or SIGTERM to process ${process.pid}`],
    ["Below", "alerts, as Alertmanager sends them"],
  ];
  return `${rows.map(([what, where]) => `${what!.padEnd(13)} ${where}`).join("\n")}\n`;
}

const NO_GRAFANA = "is not installed; any other one can import grafana/dashboards/*.json: docs/stack.md";

function say(line: string): void {
  console.log(`${new Date().toTimeString().slice(0, 8)}  ${line}`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") console.log(USAGE);
  else await run(options);
  process.exit();
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
