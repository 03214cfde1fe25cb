import type { GateRow, History, QueueDetail, QueueRow, TierRow } from "../../inspector/protocol.js";
import { HealthChip } from "../parts/health.js";
import { ProcessName } from "../parts/process-name.js";
import { Nothing, Section, Stat } from "../parts/section.js";
import { SlaBar } from "../parts/sla-bar.js";
import { TaskTree } from "../parts/task-tree.js";
import { workerWords } from "../parts/workers.js";
import { useDetails, useHistory } from "../state/feeds.js";
import { clock, count, duration, percent, rate, some, UNKNOWN } from "../state/format.js";
import { hrefOf } from "../state/route.js";
import { keyOf } from "../state/rows.js";
import { failedOf } from "../state/sorting.js";
import { findQueue } from "../state/store.js";
import { shownRow, useView } from "../state/view.js";
import { Actions } from "./actions.js";
import { QueueCharts } from "./queue-charts.js";
import { FailureList, HeadTable } from "./queue-lists.js";

/** One queue, with all that is known of it. */
export function QueuePage() {
  const { state, route } = useView();
  if (route.view !== "queue") return null;
  const row = findQueue(state.rows, route.queue, route.process);
  if (row === undefined) {
    return (
      <main>
        <h1>
          <bdi>{route.queue}</bdi>
        </h1>
        <Nothing>
          {state.connection === "connecting" ? (
            "Connecting …"
          ) : (
            <>
              No process has a queue of this name now.{" "}
              <a href={hrefOf({ view: "overview", filter: route.queue })}>Look for it</a>
            </>
          )}
        </Nothing>
      </main>
    );
  }
  return <OneQueue key={keyOf(row.process, row.name)} live={row} />;
}

function OneQueue({ live }: { live: QueueRow }) {
  const view = useView();
  const { state, store, at, isLive } = view;
  const { process, name } = live;
  const isGone = state.gone.has(process);
  const details = useDetails({ process, queue: name }, !isGone);
  const history = useHistory({ process, queue: name }, live, state.rows.at, isLive, !isGone);
  const key = keyOf(process, name);
  // Once there are histories one may go back to before the page was opened.
  if (history !== undefined && !isLive && !store.past.knows(key, at)) store.past.backfill(key, history);
  const row = shownRow(view, key, live);
  const detail = isLive ? details.last : details.at(at);

  return (
    <main class="queue-page">
      <Head row={row ?? live} isGone={isGone} />
      {row === undefined ? <Nothing>Nothing is known of this time.</Nothing> : <Stats row={row} />}
      <div class="columns">
        <div class="column">
          <QueueCharts history={history} row={live} details={details} />
          <Tiers tiers={row?.tiers ?? []} />
        </div>
        <div class="column">
          {detail === undefined ? (
            <Section title="Tasks in flight">
              <Nothing>
                {isLive
                  ? "Asking …"
                  : `What was in flight at ${clock(at)} is not known: it is kept while this page is open, and no longer than there is room for.`}
              </Nothing>
            </Section>
          ) : (
            <Details detail={detail} history={history} />
          )}
        </div>
      </div>
    </main>
  );
}

function Head({ row, isGone }: { row: QueueRow; isGone: boolean }) {
  const { state, route } = useView();
  const { health, why, reasons } = row;
  const isBad = health === "breach" || health === "warning";
  return (
    <header class="queue-head">
      <div class="crumbs">
        <a href={hrefOf({ view: "overview", at: route.at })}>Queues</a>
        <span aria-hidden="true">/</span>
        <ProcessName process={state.rows.processes.get(row.process)} />
      </div>
      <div class="title-line">
        <h1>
          <bdi>{row.name}</bdi>
        </h1>
        <HealthChip health={health} isGone={isGone} />
        {row.paused !== undefined && <span class="chip chip-quiet">{row.paused}</span>}
        {row.scope === "broker" && <span class="chip chip-quiet">in a broker</span>}
        {!isGone && <Actions row={row} />}
      </div>
      {isBad && (why !== undefined || reasons.length > 0) && (
        <div class={`banner banner-${health}`}>
          {why !== undefined && why.verdict !== "unknown" ? (
            <p>
              <span class="verdict">
                <bdi>{why.verdict}</bdi>
              </span>{" "}
              <bdi>{why.sentence}</bdi>{" "}
              {why.confidence !== undefined && <span class="muted">{percent(why.confidence)} sure</span>}{" "}
              {why.reportId !== undefined && (
                <a href={hrefOf({ view: "breaches", id: why.reportId, process: row.process })}>Report</a>
              )}
            </p>
          ) : (
            health === "breach" && <p class="muted">No cause is known yet.</p>
          )}
          {reasons.length > 0 && (
            <ul>
              {reasons.map((reason) => (
                <li key={reason}>
                  <bdi>{reason}</bdi>
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </header>
  );
}

function Stats({ row }: { row: QueueRow }) {
  const late = row.health === "breach" ? "bad" : undefined;
  const { totals } = row;
  return (
    <dl class="stats">
      <Stat name="SLA used" tone={late}>
        <SlaBar used={row.slaUsed} />
      </Stat>
      <Stat name="Oldest" tone={late}>
        {duration(row.oldestMs)}
      </Stat>
      <Stat
        name="Depth"
        detail={
          <>
            {row.capacity !== undefined && `of ${count(row.capacity)}`}
            {row.delayed !== undefined && row.delayed > 0 && ` + ${count(row.delayed)} delayed`}
          </>
        }
      >
        {count(row.depth)}
      </Stat>
      <Stat name="Wait p50 / p99">
        {row.waitP50Ms === undefined && row.waitP99Ms === undefined
          ? UNKNOWN
          : `${duration(row.waitP50Ms)} / ${duration(row.waitP99Ms)}`}
      </Stat>
      <Stat name="In / out per second">
        {rate(row.inPerSecond)} / {rate(row.outPerSecond)}
      </Stat>
      <Stat
        name="In flight"
        detail={
          row.inFlightOldestMs !== undefined && row.inFlightOldestMs > 0
            ? `oldest ${duration(row.inFlightOldestMs)}`
            : undefined
        }
      >
        {count(row.inFlight)}
      </Stat>
      <Stat
        name="Failed"
        detail={
          row.failedPerSecond >= 0.05
            ? `${rate(row.failedPerSecond)}/s`
            : totals.retried > 0
              ? `${count(totals.retried)} retried`
              : `of ${count(totals.dequeued)}`
        }
      >
        {count(failedOf(totals))}
      </Stat>
      <Stat
        name="Dropped"
        detail={row.droppedPerSecond >= 0.05 ? `${rate(row.droppedPerSecond)}/s` : undefined}
      >
        {count(totals.dropped)}
      </Stat>
    </dl>
  );
}

function Details({ detail, history }: { detail: QueueDetail; history: History | undefined }) {
  const { row, tasks, head, pools, gates, failures } = detail;
  return (
    <>
      <Section title="Tasks in flight" note={shownOf(tasks.length, row.inFlight)}>
        <TaskTree tasks={tasks} />
      </Section>
      <Section
        title="Head of the queue"
        note={
          (row.depth ?? 0) > head.length && head.length > 0
            ? `the next ${head.length} of ${count(row.depth)}`
            : undefined
        }
      >
        <HeadTable head={head} />
      </Section>
      <Section title="Pools, gates and callers">
        <dl class="facts">
          {pools.map((pool) => (
            <div key={pool.name}>
              <dt>
                pool <bdi>{pool.name}</bdi>
              </dt>
              <dd>
                {workerWords(pool.counts)}
                {pool.notTaking !== undefined && (
                  <span class="strong">
                    ; <bdi>{pool.notTaking}</bdi>
                  </span>
                )}
              </dd>
            </div>
          ))}
          {gates.map((gate) => (
            <Gate key={gate.name} gate={gate} />
          ))}
          {row.consumers !== undefined && <Fact name="consumers">{count(row.consumers)}</Fact>}
          <Fact name="blocked in put" isStrong={(row.waitingPuts ?? 0) > 0}>
            {row.waitingPuts === undefined ? UNKNOWN : some(row.waitingPuts, "producer")}
          </Fact>
          <Fact name="dead letters">{count(row.totals.deadLettered)}</Fact>
          <Fact name="blocked in get">
            {row.waitingGets === undefined ? UNKNOWN : some(row.waitingGets, "consumer")}
          </Fact>
        </dl>
      </Section>
      <Section title="Recent failures" note={failureNote(history)}>
        <FailureList failures={failures} />
      </Section>
    </>
  );
}

function Gate({ gate }: { gate: GateRow }) {
  const { name, limit, inFlight, waiting, isOpen } = gate;
  return (
    <div>
      <dt>
        gate <bdi>{name}</bdi>
      </dt>
      <dd>
        {count(inFlight)}
        {limit !== undefined && ` of ${count(limit)}`} through, {count(waiting)} waiting
        {isOpen !== undefined && (
          <span class={isOpen ? "strong" : ""}>; breaker {isOpen ? "open" : "closed"}</span>
        )}
      </dd>
    </div>
  );
}

function Fact({ name, isStrong = false, children }: { name: string; isStrong?: boolean; children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isStrong ? "strong" : ""}>{children}</dd>
    </div>
  );
}

function Tiers({ tiers }: { tiers: readonly TierRow[] }) {
  if (tiers.length === 0) return null;
  return (
    <Section title="Tiers">
      <div class="scroll">
        <table class="plain">
          <thead>
            <tr>
              {["Tier", "SLA used", "SLA", "Oldest", "Depth", "p50", "p99", "In/s", "Out/s"].map(
                (name, i) => (
                  <th key={name} scope="col" class={i > 1 ? "number" : ""}>
                    {name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {tiers.map((tier) => (
              <tr key={tier.name}>
                <th scope="row">
                  <bdi>{tier.name}</bdi>
                </th>
                <td>
                  <SlaBar used={tier.slaUsed} />
                </td>
                <td class="number">{duration(tier.slaMs)}</td>
                <td class="number">{duration(tier.oldestMs)}</td>
                <td class="number">{count(tier.depth)}</td>
                <td class="number">{duration(tier.waitP50Ms)}</td>
                <td class="number">{duration(tier.waitP99Ms)}</td>
                <td class="number">{rate(tier.inPerSecond)}</td>
                <td class="number">{rate(tier.outPerSecond)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function shownOf(shown: number, all: number | undefined): string | undefined {
  if (all === undefined || all <= shown) return shown === 0 ? undefined : count(shown);
  return `the oldest ${count(shown)} of ${count(all)}`;
}

function failureNote(history: History | undefined): string | undefined {
  if (history === undefined) return undefined;
  const failed = history.failed.reduce<number>((sum, n) => sum + (n ?? 0), 0);
  return failed === 0 ? undefined : `${count(failed)} in the last ten minutes`;
}
