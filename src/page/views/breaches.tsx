import { useEffect, useState } from "preact/hooks";
import type { ReportAnswer, ReportHead } from "../../inspector/protocol.js";
import { Nothing, Section } from "../parts/section.js";
import { get } from "../state/api.js";
import { clock, duration, some } from "../state/format.js";
import { hrefOf } from "../state/route.js";
import { useView } from "../state/view.js";
import { ReportEvidence } from "./evidence.js";

/** Reports, the newest first, and the one that is chosen. */
export function Breaches() {
  const { state, route } = useView();
  if (route.view !== "breaches") return null;
  const reports = state.reports.filter(
    ({ process }) => route.process === undefined || process === route.process || route.id !== undefined,
  );
  const chosen =
    reports.find(
      ({ id, process }) => id === route.id && (route.process === undefined || process === route.process),
    ) ?? (route.id === undefined ? reports[0] : undefined);
  return (
    <main class="breaches">
      <nav class="report-list" aria-label="Reports">
        <h1>Breaches</h1>
        {reports.length === 0 && (
          <Nothing>
            {nothingWords(
              state.rows.processes.size > 0 &&
                [...state.rows.processes.values()].every(({ hasWatchdog }) => !hasWatchdog),
            )}
          </Nothing>
        )}
        <ol>
          {reports.map((report) => (
            <li key={`${report.process} ${report.id}`}>
              <ReportLink report={report} isChosen={report === chosen} />
            </li>
          ))}
        </ol>
      </nav>
      {chosen !== undefined && <OneReport key={`${chosen.process} ${chosen.id}`} head={chosen} />}
      {chosen === undefined && route.id !== undefined && state.connection !== "connecting" && (
        <Nothing>This report is no longer kept: a process keeps its last 20.</Nothing>
      )}
    </main>
  );
}

function nothingWords(isWithoutWatchdog: boolean): string {
  if (isWithoutWatchdog)
    return "No watchdog runs, so there will be no reports: new Watchdog().watch(queue).start() makes one.";
  return "No SLA was breached.";
}

function ReportLink({ report, isChosen }: { report: ReportHead; isChosen: boolean }) {
  const { id, process, queue, tier, at, waitMs, targetMs, verdict, clearedAt } = report;
  return (
    <a
      class="report-link"
      href={hrefOf({ view: "breaches", id, process })}
      aria-current={isChosen ? "true" : undefined}
    >
      <span class="report-link-line">
        <bdi class="report-queue">{queue}</bdi>
        <span class="muted">
          <bdi>{tier}</bdi>
        </span>
        <time class="muted number" dateTime={isoTime(at)}>
          {clock(at)}
        </time>
      </span>
      <span class="report-link-line">
        <bdi>{verdict === "unknown" ? "cause not known" : verdict}</bdi>
        <span class={`number ${clearedAt === undefined ? "bad" : "muted"}`}>
          {duration(waitMs)}
          {targetMs !== undefined && ` of ${duration(targetMs)}`}
        </span>
      </span>
    </a>
  );
}

function OneReport({ head }: { head: ReportHead }) {
  const { state } = useView();
  const [answer, set] = useState<ReportAnswer | string>();
  const { id, process } = head;
  useEffect(() => {
    const ending = new AbortController();
    get<ReportAnswer>("report", { id, process }, ending.signal).then(set, (error: Error) => {
      if (!ending.signal.aborted) set(error.message);
    });
    return () => ending.abort();
  }, [id, process]);
  const { queue, tier, at, waitMs, targetMs, depth, clearedAt, corrects } = head;
  return (
    <article class="report">
      <header>
        <div class="title-line">
          <h2 class="report-title">
            <a href={hrefOf({ view: "queue", queue, process })}>
              <bdi>{queue}</bdi>
            </a>
          </h2>
          <span class={`chip ${clearedAt === undefined ? "chip-breach" : "chip-quiet"}`}>
            {clearedAt === undefined ? "late" : `over since ${clock(clearedAt)}`}
          </span>
          <Downloads answer={typeof answer === "object" ? answer : undefined} />
        </div>
        <p class="report-sentence">
          At {clock(at)} the oldest item of tier <bdi>{tier}</bdi> had waited <b>{duration(waitMs)}</b>
          {targetMs !== undefined && <>; its SLA allows {duration(targetMs)}</>}. {some(depth, "item")} waited
          in all.
        </p>
        {corrects !== undefined && (
          <p class="muted">
            The report before named <bdi>{corrects}</bdi> first; more looks have found another cause.
          </p>
        )}
      </header>
      {answer === undefined && <Nothing>Asking …</Nothing>}
      {typeof answer === "string" && (
        <>
          <Section title="Why">
            <p>
              <bdi>{head.sentence}</bdi>
            </p>
          </Section>
          <Nothing>
            {state.gone.has(process) ? "The process has ended, and its reports with it." : answer}
          </Nothing>
        </>
      )}
      {typeof answer === "object" && <ReportEvidence answer={answer} />}
    </article>
  );
}

function Downloads({ answer }: { answer: ReportAnswer | undefined }) {
  if (answer === undefined) return null;
  const name = `${answer.queue.replace(/[^\w.-]+/g, "-").slice(0, 60)}-${isoTime(answer.at).replace(/[:.]/g, "-")}`;
  return (
    <span class="actions">
      <button
        type="button"
        onClick={() => save(`${name}.json`, JSON.stringify(answer.report, null, 2), "application/json")}
      >
        JSON
      </button>
      <button type="button" onClick={() => save(`${name}.txt`, `${answer.text}\n`, "text/plain")}>
        Text
      </button>
    </span>
  );
}

function save(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: the browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function isoTime(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
