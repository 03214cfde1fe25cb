import { useEffect, useState } from "preact/hooks";
import type { Found, SearchAnswer } from "../../inspector/protocol.js";
import { CorrelationId, TraceLink } from "../parts/ids.js";
import { ProcessName } from "../parts/process-name.js";
import { Nothing } from "../parts/section.js";
import { TaskTree } from "../parts/task-tree.js";
import { get } from "../state/api.js";
import { clock, count, duration } from "../state/format.js";
import { hrefOf } from "../state/route.js";
import { useView } from "../state/view.js";

const AGAIN_MS = 2_000;

/** Where an item is now, and what has become of it, by its correlation or trace ID. */
export function Search() {
  const { route, go } = useView();
  const q = route.view === "search" ? (route.q ?? "") : "";
  const [text, type] = useState(q);
  useEffect(() => type(q), [q]);
  if (route.view !== "search") return null;
  return (
    <main class="search">
      <h1>Search</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          go({ view: "search", q: text.trim() || undefined });
        }}
      >
        <input
          class="filter"
          type="search"
          aria-label="Correlation ID or trace ID"
          aria-keyshortcuts="/"
          placeholder="Correlation ID or trace ID"
          value={text}
          onInput={({ currentTarget }) => type(currentTarget.value)}
        />
        <button type="submit">Search</button>
      </form>
      {q === "" ? (
        <Nothing>
          Where is it, and what happened to it? Items that wait or are in flight are found, failures, and
          reports.
        </Nothing>
      ) : (
        <Results key={q} q={q} />
      )}
    </main>
  );
}

function Results({ q }: { q: string }) {
  const [answer, set] = useState<SearchAnswer | string>();
  const { isLive } = useView();
  useEffect(() => {
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        set(await get<SearchAnswer>("search", { q }, ending.signal));
      } catch (error) {
        if (!ending.signal.aborted) set((error as Error).message);
      }
      if (isLive && !ending.signal.aborted) timer = setTimeout(ask, AGAIN_MS);
    };
    void ask();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [q, isLive]);
  if (answer === undefined) return <Nothing>Searching …</Nothing>;
  if (typeof answer === "string") return <Nothing>{answer}</Nothing>;
  return (
    <>
      <ul class="found" aria-live="polite">
        {answer.found.map((found, i) => (
          <li key={`${found.process} ${found.queue} ${found.where} ${i}`} class="found-item">
            <Place found={found} />
            <What found={found} />
          </li>
        ))}
      </ul>
      {answer.found.length === 0 && (
        <Nothing>
          Nothing has this ID now: it may have been settled, or never have been here. Settled items are not
          kept.
        </Nothing>
      )}
      {answer.isPartial && (
        <p class="muted">
          Of long queues only the first 1{"\u202f"}000 items were looked at, those that are served next.
        </p>
      )}
    </>
  );
}

const WHERE: Readonly<Record<Found["where"], string>> = {
  waiting: "waiting",
  "in flight": "in flight",
  report: "in a report",
};

function Place({ found }: { found: Found }) {
  const { state } = useView();
  return (
    <div class="found-place">
      <span class="chip chip-quiet">{WHERE[found.where]}</span>
      <a href={hrefOf({ view: "queue", queue: found.queue, process: found.process })}>
        <bdi>{found.queue}</bdi>
      </a>
      <ProcessName process={state.rows.processes.get(found.process)} />
    </div>
  );
}

function What({ found }: { found: Found }) {
  switch (found.where) {
    case "waiting":
      return (
        <p>
          Number {count(found.position)} in the queue, tier <bdi>{found.item.tier}</bdi>, attempt{" "}
          {found.item.attempt}
          {found.item.waitMs !== undefined && <>, for {duration(found.item.waitMs)}</>}.{" "}
          <CorrelationId id={found.item.correlationId} /> <TraceLink id={found.item.traceId} />
        </p>
      );
    case "in flight":
      return <TaskTree tasks={[found.task]} />;
    case "report":
      return (
        <p>
          At {clock(found.report.at)}: <bdi>{found.report.sentence}</bdi>{" "}
          <a href={hrefOf({ view: "breaches", id: found.report.id, process: found.process })}>Report</a>
        </p>
      );
  }
}
