import { shown } from "../../base/shown.js";
import type { ReportAnswer, ReportsNow } from "../../inspector/protocol.js";
import { type Command, CommandError, EXIT } from "../command.js";
import { processBy, processesNow, withProcesses } from "../processes.js";

const command: Command = {
  help: `Usage: queuescope report [PID] [--queue NAME] [--json]

Prints a report on each queue as it is now, late or not: why it is late, what is in flight and waits for what, what is next, rates, workers. Of the
process with that pid, or of all processes of this user that can be looked into.

  --queue NAME   only on this queue
  --json         prints an array of reports as JSON (docs/diagnosis.md)`,
  options: { json: { type: "boolean" }, queue: { type: "string" } },
  maxArguments: 1,
  run: ({ json, queue }, [pid], output) =>
    withProcesses(async (view) => {
      const processes = pid === undefined ? await processesNow(view) : [await processBy(view, pid)];
      const found: { pid: number; name: string; reports: readonly ReportAnswer[] }[] = [];
      for (const { id, pid, name } of processes) {
        const answer = JSON.parse(await view.ask({ route: "report", process: id })) as ReportsNow;
        const reports = answer.reports.filter((each) => queue === undefined || each.queue === queue);
        if (reports.length > 0) found.push({ pid, name, reports });
      }
      if (found.length === 0) {
        const what =
          queue === undefined ? "no queue is instrumented" : `there is no queue "${shown(String(queue))}"`;
        const where = processes.map((each) => `${each.pid} (${shown(each.name)})`).join(", ");
        throw new CommandError(`${what} in ${where}. See queuescope ps`, EXIT.noProcess);
      }
      if (json === true) {
        const all = found.flatMap(({ reports }) => reports.map(({ report }) => report));
        output.print(JSON.stringify(all, undefined, 2));
      } else {
        for (const { pid, name, reports } of found) {
          output.print(`PROCESS ${pid} ${shown(name)}`);
          for (const { text } of reports) output.print(`${text}\n`);
        }
      }
      return EXIT.ok;
    }),
};

export default command;
