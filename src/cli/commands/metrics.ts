import { errorLine } from "../../base/error-text.js";
import { PortInUseError } from "../../base/errors.js";
import { CombinedView } from "../../inspector/remote/combined-view.js";
import { MergedMetrics } from "../../inspector/remote/merged-metrics.js";
import { MetricsServer } from "../../telemetry/sdk/metrics-server.js";
import { type Command, CommandError, EXIT, type Output } from "../command.js";
import { held } from "../held.js";
import { KeptFile } from "../kept-metrics.js";
import { untilSignal } from "../until-signal.js";

const command: Command = {
  help: `Usage: queuescope metrics [--port PORT] [--host HOST] [--every SECONDS] [--once]

Serves the metrics of all processes of this user that can be looked into at one endpoint for Prometheus, http://127.0.0.1:9464/metrics, as those of one:
for node:cluster, PM2, and whatever else is several processes. Counters and histograms are added up, and what a process had counted stays when it ends.
Depths and other gauges are added up over those that are there; of ages and targets the greatest counts. No counter ever falls, also not when this command
is started anew: what was counted is kept in a file beside the sockets. What a process counts between the last question and its end is lost.

  --port PORT       default: 9464
  --host HOST       the address to listen on; default: 127.0.0.1. Whoever reaches it can read the metrics
  --every SECONDS   how often processes are asked; default: 2
  --once            prints the metrics as they are now, and ends; with --json as an object`,
  options: {
    port: { type: "string", default: "9464" },
    host: { type: "string", default: "127.0.0.1" },
    every: { type: "string", default: "2" },
    once: { type: "boolean" },
    json: { type: "boolean" },
  },
  async run(values, _args, output) {
    const port = numberIn(
      "--port",
      values.port,
      (n) => Number.isInteger(n) && n >= 0 && n <= 65_535,
      "a port",
    );
    const every = numberIn(
      "--every",
      values.every,
      (n) => n >= 0.5 && n <= 3_600,
      "seconds, from 0.5 to 3600",
    );
    if (values.once === true) return await held(() => once(values.json === true, output));
    if (values.json === true) throw new CommandError("--json goes with --once", EXIT.usage);
    return await held(() => serve({ port, host: String(values.host), everyMs: 1_000 * every }, output));
  },
};

export default command;

async function once(isJson: boolean, output: Output) {
  const metrics = new MergedMetrics();
  const view = new CombinedView([], metrics);
  try {
    await view.find();
    const text = await view.allMetrics();
    output.print(
      isJson ? JSON.stringify(Object.fromEntries(metrics.merged()), undefined, 2) : text.trimEnd(),
    );
    return EXIT.ok;
  } finally {
    view.close();
  }
}

async function serve(
  { port, host, everyMs }: { port: number; host: string; everyMs: number },
  output: Output,
) {
  const file = keptFile(port, output);
  const metrics = new MergedMetrics(file?.read());
  const view = new CombinedView([], metrics);
  const collect = async () => {
    await view.find();
    return Buffer.from(await view.allMetrics());
  };
  let isKept = true;
  const keep = async () => {
    try {
      await file?.write(metrics);
      isKept = true;
    } catch (error) {
      if (isKept) output.note(`queuescope: what was counted can't be kept: ${errorLine(error)}`);
      isKept = false;
    }
  };
  const scrape = async () => {
    const text = await collect();
    // What was told must not be forgotten, so it is written down before: this command may be killed at any moment.
    await keep();
    return text;
  };
  // From then on that it serves may be known.
  const ended = untilSignal();
  const server = await listen(host, port, scrape);
  output.note(`queuescope: the metrics of all processes are at ${server.url}`);
  const asking = setInterval(() => void collect(), everyMs);
  await ended;
  clearInterval(asking);
  await server.close();
  await scrape();
  view.close();
  return EXIT.ok;
}

/** None where there is no folder: then counters begin anew with each start. */
function keptFile(port: number, output: Output): KeptFile | undefined {
  try {
    return new KeptFile(port);
  } catch (error) {
    output.note(`queuescope: what was counted can't be kept: ${errorLine(error)}`);
    return undefined;
  }
}

async function listen(host: string, port: number, collect: () => Promise<Buffer>): Promise<MetricsServer> {
  try {
    return await MetricsServer.listen(host, port, { text: collect });
  } catch (error) {
    if (error instanceof PortInUseError)
      throw new CommandError(
        `port ${port} on ${host} is in use; choose another one by --port. A process that serves its own metrics there says prometheus: false`,
        EXIT.failed,
      );
    throw new CommandError(`can't listen on ${host}, port ${port}: ${errorLine(error)}`);
  }
}

function numberIn(name: string, value: unknown, isAllowed: (n: number) => boolean, allowed: string): number {
  const n = typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  if (!isAllowed(n)) throw new CommandError(`${name} must be ${allowed}, not "${value}"`, EXIT.usage);
  return n;
}
