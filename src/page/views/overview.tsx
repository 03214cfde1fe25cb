import { useEffect, useRef, useState } from "preact/hooks";
import type { QueueRow } from "../../inspector/protocol.js";
import { Nothing } from "../parts/section.js";
import { count, rate, some } from "../state/format.js";
import { hrefOf } from "../state/route.js";
import { COLUMNS, type ColumnName, matches, sorted } from "../state/sorting.js";
import { shownRow, useView, type View } from "../state/view.js";
import { Processes } from "./processes.js";
import { QueueLine } from "./queue-row.js";

const SPARK_SECONDS = 60;

/** Every queue a line, the worst first. */
export function Overview() {
  const view = useView();
  const { state, route, go } = view;
  // While the pointer is among the lines they stay where they are, so that one hits what one aims at.
  const [isHeld, hold] = useState(false);
  const order = useRef<{ sort: string | undefined; keys: readonly string[] }>({ sort: undefined, keys: [] });
  useEffect(() => {
    if (view.isLive) return;
    void view.store.learn(
      [...state.rows.queues.keys()].filter((key) => !view.store.past.knows(key, view.at)),
    );
  });
  if (route.view !== "overview") return null;

  const all = shownRows(view);
  const filter = route.filter ?? "";
  const chosen = all.filter(([, row]) => matches(row, state.rows.processes.get(row.process), filter));
  const entries = sorted(
    chosen,
    route.sort as ColumnName | undefined,
    isHeld && order.current.sort === route.sort ? order.current.keys : [],
  );
  order.current = { sort: route.sort, keys: entries.map(([key]) => key) };
  const withProcess = route.process === undefined && state.rows.processes.size > 1;

  return (
    <main class="overview">
      <Headline rows={all.map(([, row]) => row)} />
      <Processes />
      <div class="tools">
        <input
          class="filter"
          type="search"
          placeholder="Filter queues"
          aria-label="Filter queues by name"
          aria-keyshortcuts="/"
          value={filter}
          onInput={({ currentTarget }) =>
            go({ ...route, filter: currentTarget.value || undefined }, { replace: true })
          }
        />
        <span class="muted">
          {chosen.length === all.length
            ? some(all.length, "queue")
            : `${count(chosen.length)} of ${some(all.length, "queue")}`}
        </span>
      </div>
      <table
        class="queues"
        onPointerOver={({ target }) => hold((target as Element).closest("tbody") !== null)}
        onPointerLeave={() => hold(false)}
      >
        <thead>
          <tr>
            {COLUMNS.map((column) => (
              <ColumnHead key={column.name} {...column} />
            ))}
          </tr>
        </thead>
        {entries.map(([key, row]) => (
          <QueueLine
            key={key}
            row={row}
            depths={view.store.past.depths(key, view.at, SPARK_SECONDS)}
            process={state.rows.processes.get(row.process)}
            withProcess={withProcess}
            href={hrefOf({ view: "queue", queue: row.name, process: row.process, at: route.at })}
            isGone={state.gone.has(row.process)}
            isSelected={false}
          />
        ))}
      </table>
      {entries.length === 0 && <Nothing>{nothingWords(view, all.length)}</Nothing>}
    </main>
  );
}

function ColumnHead({ name, label, title, isNumber, sorts }: (typeof COLUMNS)[number]) {
  const { route, go } = useView();
  const isChosen = route.view === "overview" && (route.sort ?? "worst") === name;
  return (
    <th
      scope="col"
      class={`${isNumber ? "number" : ""} cell-${name}`}
      aria-sort={isChosen ? (name === "name" ? "ascending" : "descending") : undefined}
    >
      {sorts ? (
        <button
          type="button"
          title={title}
          onClick={() =>
            route.view === "overview" &&
            go({ ...route, sort: isChosen ? undefined : name }, { replace: true })
          }
        >
          {label}
          {isChosen && <span aria-hidden="true"> ↓</span>}
        </button>
      ) : (
        label
      )}
    </th>
  );
}

/** The state of everything in a sentence, and what it adds up to. */
function Headline({ rows }: { rows: readonly QueueRow[] }) {
  const late = rows.filter(({ health }) => health === "breach");
  const warned = rows.filter(({ health }) => health === "warning");
  const sum = (of: (row: QueueRow) => number | undefined) =>
    rows.reduce((total, row) => total + (of(row) ?? 0), 0);
  const [worst] = sorted(
    rows.map((row) => ["", row]),
    undefined,
    [],
  );
  const words =
    rows.length === 0
      ? "No queue yet"
      : late.length > 0
        ? `${some(late.length, "queue")} late`
        : warned.length > 0
          ? `On time, ${some(warned.length, "warning")}`
          : "All queues on time";
  return (
    <header class="headline">
      <h1 class={late.length > 0 ? "is-late" : ""}>
        {words}
        {late.length > 0 && worst !== undefined && (
          <>
            {": "}
            <bdi>{worst[1].name}</bdi>
            {late.length > 1 && " most of all"}
          </>
        )}
      </h1>
      <dl class="sums">
        <Sum name="waiting">{count(sum((row) => row.depth))}</Sum>
        <Sum name="in flight">{count(sum((row) => row.inFlight))}</Sum>
        <Sum name="in/s">{rate(sum((row) => row.inPerSecond))}</Sum>
        <Sum name="out/s">{rate(sum((row) => row.outPerSecond))}</Sum>
        <Sum name="failed/s">{rate(sum((row) => row.failedPerSecond))}</Sum>
        <Sum name="dropped/s">{rate(sum((row) => row.droppedPerSecond))}</Sum>
      </dl>
    </header>
  );
}

function Sum({ name, children }: { name: string; children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function shownRows(view: View): [string, QueueRow][] {
  const { state, route } = view;
  const rows: [string, QueueRow][] = [];
  for (const [key, row] of state.rows.queues) {
    if (route.process !== undefined && row.process !== route.process) continue;
    const shown = shownRow(view, key, row);
    if (shown !== undefined) rows.push([key, shown]);
  }
  return rows;
}

function nothingWords({ state, isLive }: View, all: number): string {
  if (all > 0) return "No queue has such a name. Escape shows all of them.";
  if (!isLive) return "Nothing is known of this time.";
  if (state.connection === "connecting") return "Connecting …";
  if (state.rows.processes.size === 0)
    return "No process can be seen. Start one with QUEUESCOPE_INSPECT=1, or call inspect() in it.";
  return "No queue is instrumented yet: instrument(queue, { name }) makes one visible.";
}
