import { useState } from "preact/hooks";
import type { History, QueueRow } from "../../inspector/protocol.js";
import { flowKind } from "../charts/flow.js";
import { heatKind } from "../charts/heatmap.js";
import { lanesKind } from "../charts/lanes.js";
import { depthKind, slaKind } from "../charts/lines.js";
import { Plot } from "../charts/plot.js";
import { Nothing, Section } from "../parts/section.js";
import type { Details } from "../state/feeds.js";
import { clock, count, duration, percent } from "../state/format.js";
import { flowOf, timesOf } from "../state/history.js";
import { useView } from "../state/view.js";

const WINDOWS = [1, 3, 10] as const;
const MIN_SECONDS = 60;
const MAX_LANES_HEIGHT = 320;

/** The last minutes of a queue, in charts over the same time. */
export function QueueCharts({
  history,
  row,
  details,
}: {
  history: History | undefined;
  row: QueueRow;
  details: Details;
}) {
  const [minutes, choose] = useState<(typeof WINDOWS)[number]>(1);
  const { isLive, at } = useView();
  if (history === undefined) {
    return (
      <Section title="Cumulative flow">
        <Nothing>Asking for the last ten minutes …</Nothing>
      </Section>
    );
  }
  const times = timesOf(history);
  const to = windowEnd(history.lastAt / 1_000, isLive ? undefined : at / 1_000, minutes * 60);
  const begun = times[history.depth.findIndex((depth) => depth !== null)] ?? to;
  // A process that has just begun fills the picture, too.
  const from = Math.max(to - minutes * 60, Math.min(begun, to - MIN_SECONDS));
  const shared = { from, to };
  const flow = flowOf(history, from);
  const hasSla = history.slaUsed.some((used) => used !== null);
  const { waits } = history;
  const tiers = waits.tiers
    .map((tier, i) => ({ ...tier, i }))
    .filter(({ counts }) => counts.some((buckets) => buckets.some((n) => n > 0)));
  return (
    <>
      <Section
        title="Cumulative flow"
        note={
          <span class="legend">
            <i class="key key-accent" />
            arrivals <i class="key key-muted" />
            departures <span class="wide">· apart vertically: depth, horizontally: wait</span>
          </span>
        }
      >
        <Windows chosen={minutes} choose={choose} />
        <Plot
          kind={flowKind}
          data={flow}
          {...shared}
          height={210}
          withTimes
          label={`Cumulative flow: in the time shown ${count((flow.arrivals.at(-1) ?? 0) - (flow.arrivals[0] ?? 0))} items came and ${count(flow.departures.at(-1))} left; ${count(row.depth)} wait.`}
        />
      </Section>
      {hasSla && (
        <Section title="SLA used" note="by the oldest item; the line is the limit">
          <Plot
            kind={slaKind}
            data={{ times, used: history.slaUsed }}
            {...shared}
            height={96}
            label={`SLA used: ${percent(row.slaUsed)} now, at most ${percent(maxOf(history.slaUsed))} in ten minutes.`}
          />
        </Section>
      )}
      <Section
        title="Depth"
        note={
          <span class="legend">
            <i class="key key-accent" />
            waiting <i class="key key-muted" />
            in flight
          </span>
        }
      >
        <Plot
          kind={depthKind}
          data={{ times, depth: history.depth, inFlight: history.inFlight, capacity: row.capacity }}
          {...shared}
          height={96}
          label={`Depth: ${count(row.depth)} now, at most ${count(maxOf(history.depth))} in ten minutes.`}
        />
      </Section>
      <WorkerLanes details={details} {...shared} />
      <Section title="Waits" note="of items that were taken; the more, the stronger; the line is the SLA">
        {tiers.length === 0 && <Nothing>Nothing was taken in the last ten minutes.</Nothing>}
        {tiers.map((tier, i) => (
          <div key={tier.name}>
            <div class="plot-name">
              <bdi>{tier.name}</bdi>
              {tier.slaMs !== undefined && <span class="muted"> SLA {duration(tier.slaMs)}</span>}
            </div>
            <Plot
              kind={heatKind}
              data={{ map: waits, tier: tier.i }}
              {...shared}
              height={i === tiers.length - 1 ? 122 : 100}
              withTimes={i === tiers.length - 1}
              label={`Waits of tier ${tier.name}, as a heatmap; the table of tiers has the figures.`}
            />
          </div>
        ))}
      </Section>
    </>
  );
}

function Windows({
  chosen,
  choose,
}: {
  chosen: number;
  choose: (minutes: (typeof WINDOWS)[number]) => void;
}) {
  return (
    <fieldset class="segments" aria-label="Time shown">
      {WINDOWS.map((minutes) => (
        <button key={minutes} type="button" aria-pressed={chosen === minutes} onClick={() => choose(minutes)}>
          {minutes} min
        </button>
      ))}
    </fieldset>
  );
}

/** Workers as lanes, as far as they were seen. */
function WorkerLanes({ details, from, to }: { details: Details; from: number; to: number }) {
  const { list } = details.lanes;
  if (list.length === 0) return null;
  const since = details.first?.at;
  const withPool = new Set(list.map(({ pool }) => pool)).size > 1;
  const height = Math.min(MAX_LANES_HEIGHT, Math.max(44, list.length * 18)) + 28;
  return (
    <Section
      title="Workers"
      note={
        <span class="legend">
          <i class="key key-block key-accent" />
          one task <i class="key key-block key-soft" />
          short ones <i class="key key-block key-muted" />
          retry <i class="key key-block key-text" />
          stalled{" "}
          {since !== undefined && since > from * 1_000 && (
            <span class="wide">· seen since {clock(since)}</span>
          )}
        </span>
      }
    >
      <Plot
        key={`${height}`}
        kind={lanesKind}
        data={{ lanes: list, withPool, from, to }}
        from={from}
        to={to}
        height={height}
        withTimes
        label={`What ${list.length} workers did in the time shown; the tasks in flight are listed beside it.`}
      />
    </Section>
  );
}

/** The window ends now, or a little after the instant at which one has paused. */
function windowEnd(last: number, paused: number | undefined, seconds: number): number {
  if (paused === undefined) return last;
  return Math.min(last, Math.max(paused + seconds / 3, last - 600 + seconds));
}

function maxOf(column: readonly (number | null)[]): number | undefined {
  return column.reduce<number | undefined>((max, n) => (n === null ? max : Math.max(max ?? 0, n)), undefined);
}
