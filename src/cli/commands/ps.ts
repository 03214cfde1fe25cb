import { shown } from "../../base/shown.js";
import type { ProcessInfo, QueueRow, Snapshot } from "../../inspector/protocol.js";
import { type Command, EXIT } from "../command.js";
import { processBy, processesNow, withProcesses } from "../processes.js";
import { QUEUE_COLUMNS, sentenceOf } from "../queue-cells.js";
import { tableLines } from "../table.js";

const command: Command = {
  help: `Usage: queuescope ps [PID] [--json] [--check]

Lists the queues of all processes of this user that can be looked into, worst first, and why those are late that are. A process can be looked into
that was started with QUEUESCOPE_INSPECT=1, or calls inspect() or startTelemetry({ inspect: true }).

  --json    prints the snapshot of the protocol (docs/live-view.md)
  --check   exits with 8 if a queue is beyond its SLA

A dot stands for what is not known. SLA: how much of it the oldest item has used. P50, P99: waits of what was taken in the last minute.
WORKERS: those at work, of all.`,
  options: { json: { type: "boolean" }, check: { type: "boolean" } },
  maxArguments: 1,
  run: (values, [pid], output) =>
    withProcesses(async (view) => {
      const process = pid === undefined ? undefined : (await processBy(view, pid)).id;
      await processesNow(view);
      const snapshot = await view.snapshot(process);
      if (values.json === true) output.print(JSON.stringify(snapshot, undefined, 2));
      else for (const line of linesOf(snapshot)) output.print(line);
      const isLate = snapshot.queues.some(({ health }) => health === "breach");
      return values.check === true && isLate ? EXIT.late : EXIT.ok;
    }),
};

export default command;

function linesOf({ processes, queues }: Snapshot): string[] {
  const byId = new Map<string, ProcessInfo>(processes.map((process) => [process.id, process]));
  const cells = queues.map((row) => QUEUE_COLUMNS.map(({ cell }) => cell(row, byId.get(row.process))));
  const [head, ...lines] = tableLines(QUEUE_COLUMNS, cells);
  const told =
    queues.length === 0 ? [] : [head!, ...lines.flatMap((line, i) => [line, ...whyLines(queues[i]!)])];
  const busy = new Set(queues.map(({ process }) => process));
  const others = processes
    .filter(({ id }) => !busy.has(id))
    .map(({ pid, name }) => `${pid} ${shown(name)}: no queue is instrumented there`);
  return [...told, ...others];
}

function whyLines(row: QueueRow): string[] {
  const sentence = sentenceOf(row);
  return sentence === undefined ? [] : [`        ${sentence}`];
}
