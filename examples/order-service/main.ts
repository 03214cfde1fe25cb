import { startTelemetry } from "queuescope/sdk";
import { carrierGate } from "./carrier.js";
import { openDeadLetters } from "./dead-letters.js";
import { Faults } from "./faults/index.js";
import { Labels } from "./labels.js";
import { listen } from "./listen.js";
import { sendLoad } from "./load.js";
import { type Options, readOptions, USAGE } from "./options.js";
import { openOrders, type Unshipped } from "./orders.js";
import { orderServer } from "./server.js";
import { Shipping } from "./shipping.js";
import { stopRequested, whatWasLeft } from "./shutdown.js";
import { Staff } from "./staff.js";
import { printStatus } from "./status-line.js";
import { serveView } from "./view.js";
import { Waits, WINDOW_MS } from "./waits.js";
import { watch } from "./watch.js";

async function run(options: Options): Promise<void> {
  // First of all, so that it sees the first order too.
  const telemetry = await startTelemetry({
    serviceName: "order-service",
    prometheus: { host: options.host, port: options["metrics-port"] },
  });

  const view = await serveView(options["view-port"]);

  const unshipped: Unshipped = { waiting: [], inFlight: [] };
  const orders = openOrders(options.capacity, unshipped);
  const deadLetters = openDeadLetters();
  const waits = new Waits();
  const labels = new Labels();
  const shipping = new Shipping(options["ship-ms"]);
  const { consumers } = options;
  const carrier = carrierGate(consumers);
  const staff = new Staff({ orders, labels, shipping, carrier, deadLetters, waits, unshipped, consumers });
  const watchdog = watch(orders, options["report-dir"]);

  const managed = (consumers * 1_000) / options["ship-ms"];
  const faults = new Faults({ orders, shipping, labels, staff, managed });
  const server = orderServer({ orders, faults });
  const url = `${await listen(server, options.host, options.port)}/order`;

  console.log(`Look     ${view.url}`);
  console.log(`Orders   ${url}`);
  console.log(`Metrics  ${telemetry.url}`);
  console.log(`Try      curl -i -d '{"power_user": "True"}' ${url}`);
  console.log(`Break    curl -X PUT ${new URL("/faults/slow-consumer", url)}`);
  console.log(`Stop     Ctrl+C, or SIGTERM to process ${process.pid}`);
  console.log(`Below    one line a second; p50 and p99 are of the last ${WINDOW_MS / 1_000} s\n`);
  const status = printStatus(waits);

  const closing = new AbortController();
  if (options.load) void sendLoad({ url, shipping, managed, signal: closing.signal });

  const reason = await stopRequested(options.seconds, (exitCode) => {
    staff.giveUp();
    // By then the workers have let go, and what was left is said.
    setImmediate(() => process.exit(exitCode));
  });

  closing.abort();
  faults.close();
  const limit = options["drain-seconds"];
  console.log(
    `\n${reason}: no new orders. Those that wait (${orders.size}) or are in flight get ${limit} s to finish.`,
  );
  await staff.close(limit * 1_000);
  clearInterval(status);
  if (deadLetters.size > 0) console.log(`Dead letters, after three attempts: ${deadLetters.size}.`);
  console.log(whatWasLeft(unshipped));

  server.close();
  server.closeAllConnections();
  await watchdog.stop();
  await view.close();
  await telemetry.shutdown();
}

/** What went wrong, in words for the one at the keyboard. */
function inWords(error: unknown): string {
  const { code, port, message } = error as { code?: string; port?: number; message?: string };
  const choose = (option: string) =>
    `Port ${port} is taken. Choose another one with --${option}, or 0 for any free one.`;
  if (code === "QUEUE_PORT_IN_USE") return choose("metrics-port");
  if (code === "EADDRINUSE") return choose("port");
  return `${message ?? error}`;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") console.log(USAGE);
  else await run(options);
} catch (error) {
  console.error(inWords(error));
  process.exit(1);
}
