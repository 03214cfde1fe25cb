import type { ProcessInfo, QueueDetail } from "../../inspector/protocol.js";
import type { CombinedView } from "../../inspector/remote/combined-view.js";
import { type Command, CommandError, EXIT, type Output } from "../command.js";
import { processBy, processesNow, withProcesses } from "../processes.js";
import { QUEUE_COLUMNS } from "../queue-cells.js";
import { tableLines } from "../table.js";
import { COLOURS, draw, NO_COLOURS } from "../top/draw.js";
import { Rows } from "../top/rows.js";
import { keysIn, Screen } from "../top/screen.js";
import { untilSignal } from "../until-signal.js";

const command: Command = {
  help: `Usage: queuescope top [PID] [--every SECONDS] [--once] [--json]

The queues of all processes of this user that can be looked into, once a second, worst first. Keys choose, sort and filter; ? tells which. Where the
output is no terminal, it prints plain lines, with the time before each.

  --every SECONDS   between plain lines; default: 5
  --once            prints plain lines once, and ends
  --json            prints each snapshot of the protocol on one line (docs/live-view.md)`,
  options: {
    every: { type: "string", default: "5" },
    once: { type: "boolean" },
    json: { type: "boolean" },
  },
  maxArguments: 1,
  run: (values, [pid], output) =>
    withProcesses(async (view) => {
      const every = Number(values.every);
      if (!(every >= 0.5 && every <= 3_600))
        throw new CommandError(
          `--every must be seconds, from 0.5 to 3600, not "${values.every}"`,
          EXIT.usage,
        );
      const process_ = pid === undefined ? undefined : (await processBy(view, pid)).id;
      await processesNow(view);
      const isLive =
        process.stdout.isTTY && process.stdin.isTTY && values.once !== true && values.json !== true;
      if (isLive) await live(view, process_);
      else
        await plain(
          view,
          process_,
          { everyMs: 1_000 * every, once: values.once === true, json: values.json === true },
          output,
        );
      return EXIT.ok;
    }),
};

export default command;

interface Plain {
  readonly everyMs: number;
  readonly once: boolean;
  readonly json: boolean;
}

async function plain(
  view: CombinedView,
  process: string | undefined,
  how: Plain,
  output: Output,
): Promise<void> {
  const tell = async () => {
    const snapshot = await view.snapshot(process);
    if (how.json) return output.print(JSON.stringify(snapshot));
    const byId = new Map<string, ProcessInfo>(snapshot.processes.map((each) => [each.id, each]));
    const at = new Date(snapshot.at).toISOString();
    const cells = snapshot.queues.map((row) => [
      at,
      ...QUEUE_COLUMNS.map(({ cell }) => cell(row, byId.get(row.process))),
    ]);
    for (const line of tableLines([{ head: "TIME" }, ...QUEUE_COLUMNS], cells)) output.print(line);
  };
  if (how.once) return await tell();
  // What reads the first line may be done with it.
  const ended = untilSignal();
  await tell();
  const timer = setInterval(() => void tell().catch(() => {}), how.everyMs);
  await ended;
  clearInterval(timer);
}

/** On a terminal, until a person has seen enough. */
async function live(view: CombinedView, process_: string | undefined): Promise<void> {
  const { stdin, stdout } = process;
  const rows = new Rows();
  const screen = new Screen();
  const paint = process.env.NO_COLOR ? NO_COLOURS : COLOURS;
  let quit = () => {};
  const hasQuit = new Promise<void>((resolve) => {
    quit = resolve;
  });
  let last = { processes: rows.processes, queues: rows.queues, now: new Date() };
  const redraw = () => {
    if (!screen.isFrozen) last = { processes: rows.processes, queues: rows.queues, now: new Date() };
    const { columns = 80, rows: lines = 24 } = stdout;
    const frame = draw(screen, last, { columns, rows: lines }, paint);
    stdout.write(`\u001b[H${frame.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J`);
  };
  const askDetail = async () => {
    const { detail } = screen;
    if (detail === undefined || screen.isFrozen) return;
    try {
      const json = await view.ask({ route: "queue", process: detail.process, queue: detail.name });
      if (screen.detail === detail) screen.detailNow = JSON.parse(json) as QueueDetail;
    } catch {
      if (screen.detail === detail) screen.back();
    }
    redraw();
  };
  const type = (text: string) => {
    for (const key of keysIn(text)) if (screen.press(key) === "quit") quit();
    redraw();
    if (screen.detail !== undefined && screen.detailNow === undefined) void askDetail();
  };
  const end = await view.watch({ process: process_, send: (event, json) => rows.told(event, json) });
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.on("data", type);
  stdout.on("resize", redraw);
  stdout.write("\u001b[?1049h\u001b[?25l");
  const timer = setInterval(() => {
    redraw();
    void askDetail();
  }, 1_000);
  redraw();
  try {
    await untilSignal(hasQuit);
  } finally {
    clearInterval(timer);
    end();
    stdin.off("data", type);
    stdin.setRawMode(false);
    stdin.pause();
    stdout.off("resize", redraw);
    stdout.write("\u001b[?25h\u001b[?1049l");
  }
}
