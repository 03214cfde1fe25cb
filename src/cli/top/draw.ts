import { shown } from "../../base/shown.js";
import type { ProcessRow, QueueDetail, QueueRow } from "../../inspector/protocol.js";
import { number, QUEUE_COLUMNS, rate, sentenceOf, time } from "../queue-cells.js";
import { fitted, padded, tableLines, widthOf } from "../table.js";
import type { Screen } from "./screen.js";

const SPARKS = "▁▂▃▄▅▆▇█";
const BAR = 10;

/** Colours as codes of the terminal, or nothing where it has none. */
export interface Paint {
  readonly breach: string;
  readonly warning: string;
  readonly good: string;
  readonly dim: string;
  readonly bold: string;
  readonly chosen: string;
  readonly off: string;
}

export const COLOURS: Paint = {
  breach: "\u001b[31m",
  warning: "\u001b[33m",
  good: "\u001b[32m",
  dim: "\u001b[2m",
  bold: "\u001b[1m",
  chosen: "\u001b[7m",
  off: "\u001b[0m",
};
export const NO_COLOURS: Paint = {
  breach: "",
  warning: "",
  good: "",
  dim: "",
  bold: "",
  chosen: "",
  off: "",
};

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A line: pieces of text, each with what it is painted with. Texts of the user's are shown safely. */
type Line = readonly (readonly [text: string, paint?: keyof Paint])[];

/** All lines of the screen, at most as many and as long as it has room for. */
export function draw(
  screen: Screen,
  all: {
    readonly processes: readonly ProcessRow[];
    readonly queues: readonly QueueRow[];
    readonly now: Date;
  },
  size: Size,
  paint: Paint,
): string[] {
  const rows = screen.show(all.queues);
  const lines: Line[] = [header(all.processes, all.queues, all.now, screen), []];
  const room = size.rows - 5;
  if (screen.hasHelp) lines.push(...HELP.map((text): Line => [[text]]));
  else if (screen.detail !== undefined) lines.push(...detailLines(screen, room + 2, size.columns));
  else lines.push(...listLines(screen, rows, all.processes, room, size.columns));
  const most = size.rows - 1;
  const shownLines = lines.slice(0, most);
  while (shownLines.length < most) shownLines.push([]);
  return [...shownLines, footer(screen)].map((line) => painted(line, size.columns, paint));
}

function painted(line: Line, columns: number, paint: Paint): string {
  let left = columns;
  let text = "";
  for (const [piece, colour] of line) {
    if (left <= 0) break;
    const cut = fitted(piece, left);
    left -= widthOf(cut);
    text += colour === undefined || paint[colour] === "" ? cut : `${paint[colour]}${cut}${paint.off}`;
  }
  return text;
}

function header(
  processes: readonly ProcessRow[],
  queues: readonly QueueRow[],
  now: Date,
  screen: Screen,
): Line {
  const late = queues.filter(({ health }) => health === "breach").length;
  const warned = queues.filter(({ health }) => health === "warning").length;
  return [
    ["queuescope", "bold"],
    [`  ${plural(processes.length, "process", "processes")}, ${plural(queues.length, "queue")}`],
    late > 0 ? [`, ${late} late`, "breach"] : [", none late", "good"],
    ...(warned > 0 ? [[`, ${plural(warned, "warning")}`, "warning"] as const] : []),
    [`  ${now.toTimeString().slice(0, 8)}`, "dim"],
    ...(screen.isFrozen ? [["  paused: space goes on", "warning"] as const] : []),
    ...(screen.filter === "" ? [] : [[`  /${screen.filter}`, "bold"] as const]),
  ];
}

function listLines(
  screen: Screen,
  rows: readonly QueueRow[],
  processes: readonly ProcessRow[],
  room: number,
  columns: number,
): Line[] {
  if (rows.length === 0)
    return [
      [
        [
          screen.filter === ""
            ? "no queue is instrumented in these processes yet"
            : "no queue is called like that",
        ],
      ],
    ];
  const byId = new Map(processes.map((process) => [process.id, process]));
  const [state, name, ...others] = QUEUE_COLUMNS;
  const heads = [state!, name!, { head: "SLA BAR" }, { head: "LAST MINUTE" }, ...others];
  const cells = rows.map((row) => {
    const [first, second, ...rest] = QUEUE_COLUMNS.map(({ cell }) => cell(row, byId.get(row.process)));
    return [first!, second!, bar(row.slaUsed), spark(row.spark, 20), ...rest];
  });
  const [head, ...table] = tableLines(heads, cells);
  const { at } = screen;
  const listed = Math.max(1, room - 3);
  const first = Math.min(Math.max(0, at - listed + 1), Math.max(0, table.length - listed));
  const lines: Line[] = [[[head!, "dim"]]];
  for (const [i, text] of table.slice(first, first + listed).entries()) {
    const row = rows[first + i]!;
    const isChosen = first + i === at;
    lines.push([[isChosen ? padded(text, columns) : text, isChosen ? "chosen" : colourOf(row)]]);
  }
  const more = table.length - listed;
  if (more > 0)
    lines.push([[`${first + 1} to ${Math.min(first + listed, table.length)} of ${table.length}`, "dim"]]);
  const chosen = rows[at];
  const sentence = chosen && sentenceOf(chosen);
  if (sentence !== undefined) {
    lines.push([]);
    for (const text of wrapped(sentence, columns).slice(0, 3)) lines.push([[text, colourOf(chosen!)]]);
  }
  return lines;
}

function detailLines(screen: Screen, room: number, columns: number): Line[] {
  const { detail, detailNow } = screen;
  const title: Line = [
    [shown(detail!.name), "bold"],
    [`  ${detail!.process}`, "dim"],
  ];
  if (detailNow === undefined) return [title, [], [["asking the process …", "dim"]]];
  const lines = detailText(detailNow, columns);
  screen.scrolled = Math.min(screen.scrolled, Math.max(0, lines.length - (room - 2)));
  return [title, ...lines.slice(screen.scrolled, screen.scrolled + room - 2)];
}

function detailText({ row, head, tasks, pools, gates, failures }: QueueDetail, columns: number): Line[] {
  const lines: Line[] = [];
  const say = (text: string, paint?: keyof Paint) =>
    lines.push([paint === undefined ? [text] : [text, paint]]);
  const sentence = sentenceOf(row);
  if (sentence !== undefined) for (const text of wrapped(sentence, columns)) say(text, colourOf(row));
  say(
    `in ${rate(row.inPerSecond)}/s, out ${rate(row.outPerSecond)}/s, failed ${rate(row.failedPerSecond)}/s; ` +
      `depth ${number(row.depth)}, oldest ${time(row.oldestMs)}, in flight ${number(row.inFlight)}; wait p50 ${time(row.waitP50Ms)}, p99 ${time(row.waitP99Ms)}`,
  );
  say("");
  say("TIERS", "dim");
  for (const tier of row.tiers) {
    const sla = tier.slaMs === undefined ? "no SLA" : `${bar(tier.slaUsed)} SLA ${time(tier.slaMs)}`;
    say(`  ${shown(tier.name)}: depth ${number(tier.depth)}, oldest ${time(tier.oldestMs)}, ${sla}`);
  }
  say("");
  say(`IN FLIGHT (${number(row.inFlight)})`, "dim");
  for (const task of tasks) {
    const step = task.step === undefined ? "" : `, "${shown(task.step)}"`;
    const lost = task.neverResumes === true ? ", can never resume" : "";
    say(`  ${shown(task.correlationId)}  ${time(task.runningMs)}, attempt ${task.attempt}${step}${lost}`);
    for (const { kind, label, state, forMs, at } of task.waits) {
      const how = state === undefined ? "" : `, ${shown(state)}`;
      say(
        `    ${kind} ${shown(label, 120)}${how}, ${time(forMs)}${at?.[0] === undefined ? "" : `  ${shown(at[0], 200)}`}`,
      );
    }
  }
  say("");
  say("NEXT", "dim");
  for (const { correlationId = "(no correlation ID)", tier, waitMs, attempt } of head)
    say(`  ${shown(correlationId)}  waited ${time(waitMs)}, tier ${shown(tier)}, attempt ${attempt}`);
  for (const { name, notTaking, workers } of pools) {
    say("");
    say(`POOL ${shown(name)}${notTaking === undefined ? "" : ` ${notTaking}`}`, "dim");
    for (const worker of workers)
      say(
        `  ${String(worker.id).padStart(3)} ${worker.state.padEnd(10)} ${time(worker.forMs).padStart(7)}  ${shown(worker.correlationId ?? "")}${worker.step === undefined ? "" : `  "${shown(worker.step)}"`}`,
      );
  }
  for (const { name, limit, inFlight, waiting, isOpen } of gates)
    say(
      `GATE ${shown(name)}: ${inFlight}${limit === undefined ? "" : ` of ${limit}`} through, ${waiting} waiting${isOpen === true ? ", breaker open" : ""}`,
    );
  if (failures.length > 0) {
    say("");
    say("FAILURES", "dim");
    for (const { kind, count, message } of failures)
      say(`  ${String(count).padStart(6)}  ${shown(kind)}  ${shown(message, 200)}`);
  }
  return lines;
}

function footer(screen: Screen): Line {
  if (screen.isTyping)
    return [
      [`filter: ${screen.filter}▏`, "bold"],
      ["  ⏎ done, esc none", "dim"],
    ];
  if (screen.detail !== undefined) return [["esc back  ↑↓ scroll  space pause  q quit", "dim"]];
  const order = `${screen.order}${screen.isReversed ? " (reversed)" : ""}`;
  return [
    [`↑↓ choose  ⏎ details  s sort: ${order}  r reverse  / filter  space pause  ? help  q quit`, "dim"],
  ];
}

const HELP = [
  "↑ ↓ j k      choose a queue          PgUp PgDn g G   ten at a time, first, last",
  "⏎            its details             esc             back",
  "s            sort by the next figure: worst, name, sla, oldest, depth, p99, in, out, failures",
  "r            the other way around    /               only queues with a text in their names",
  "space        stop, go on             q Ctrl-C        quit",
  "",
  "SLA BAR      how much of its SLA the oldest item has used: beyond the bar it is late",
  "LAST MINUTE  how many items waited, from the least to the most",
  "P50 P99      how long items had waited that were taken in the last minute",
  "WORKERS      those at work, of all. A dot is what is not known",
  "",
  "any key goes back",
];

function colourOf({ health }: QueueRow): keyof Paint {
  return health === "breach"
    ? "breach"
    : health === "warning"
      ? "warning"
      : health === "idle"
        ? "dim"
        : "off";
}

/** How much of an SLA is used: full at the limit. */
export function bar(share: number | undefined): string {
  if (share === undefined) return "";
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * BAR * 8);
  const full = "█".repeat(Math.floor(eighths / 8));
  const part = eighths % 8 === 0 ? "" : "▏▎▍▌▋▊▉"[(eighths % 8) - 1]!;
  return `${`${full}${part}`.padEnd(BAR, "·")}${share > 1 ? "!" : " "}`;
}

/** The last values as small bars, from the least to the most of them. What is unknown is a gap. */
export function spark(values: readonly (number | null)[] | undefined, width: number): string {
  const last = (values ?? []).slice(-width);
  const most = Math.max(0, ...last.map((value) => value ?? 0));
  return last
    .map((value) => {
      if (value === null) return " ";
      return SPARKS[most === 0 ? 0 : Math.min(7, Math.ceil((7 * value) / most))]!;
    })
    .join("");
}

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

function plural(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
