import type { ReportAnswer } from "../../inspector/protocol.js";
import { Section } from "../parts/section.js";
import { TaskTree } from "../parts/task-tree.js";
import { duration, percent, rate, UNKNOWN } from "../state/format.js";
import { factsOf, type RatesFacts } from "../state/report.js";
import { HeadTable } from "./queue-lists.js";

/** What a report says, and what that is concluded from. */
export function ReportEvidence({ answer }: { answer: ReportAnswer }) {
  const facts = factsOf(answer.report);
  return (
    <>
      <Section title="Why">
        {facts.verdicts.length === 0 ? (
          <p>No check has found a cause.</p>
        ) : (
          <ol class="verdicts">
            {facts.verdicts.map(({ name, confidence, sentence }) => (
              <li key={name}>
                <span class="verdict">
                  <bdi>{name}</bdi>
                </span>
                <Confidence share={confidence} />
                <p>
                  <bdi>{sentence}</bdi>
                </p>
              </li>
            ))}
          </ol>
        )}
        {facts.notEnoughEvidence.length > 0 && (
          <p class="muted">
            Too early to tell: <bdi>{facts.notEnoughEvidence.join(", ")}</bdi>
          </p>
        )}
      </Section>
      {answer.different.length > 0 && (
        <Section title="What was different from before">
          <ul class="different">
            {answer.different.map((words) => (
              <li key={words}>
                <bdi>{words}</bdi>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <div class="columns">
        <Section title="Tasks in flight" class="column">
          <TaskTree tasks={facts.tasks} />
        </Section>
        <div class="column">
          {facts.recent !== undefined && (
            <Section
              title="Rates"
              note={
                facts.utilization === undefined ? undefined : `workers ${percent(facts.utilization)} busy`
              }
            >
              <Rates before={facts.rates} now={facts.recent} />
            </Section>
          )}
          <Section title="Head of the queue">
            <HeadTable head={facts.head} />
          </Section>
        </div>
      </div>
      <Section title="As text">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is too wide is scrolled by the keyboard, too. */}
        <pre class="text" tabIndex={0}>
          {answer.text}
        </pre>
      </Section>
    </>
  );
}

const RATES: readonly (readonly [name: string, of: (rates: RatesFacts) => string])[] = [
  ["Arrived per second", (rates) => rate(rates.arrivedPerSecond)],
  ["Taken per second", (rates) => rate(rates.takenPerSecond)],
  ["Ended per second", (rates) => rate(rates.endedPerSecond)],
  ["Failed per second", (rates) => rate(rates.failedPerSecond)],
  ["Retried per second", (rates) => rate(rates.retriedPerSecond)],
  ["Time of a task", (rates) => duration(rates.serviceMs)],
];

function Rates({ before, now }: { before: RatesFacts | undefined; now: RatesFacts }) {
  return (
    <table class="plain">
      <thead>
        <tr>
          <td />
          <th scope="col" class="number">
            Last minute
          </th>
          <th scope="col" class="number">
            Last seconds
          </th>
        </tr>
      </thead>
      <tbody>
        {RATES.map(([name, of]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="number">{before === undefined ? UNKNOWN : of(before)}</td>
            <td class="number">{of(now)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How sure a verdict is, as a bar and in words. */
function Confidence({ share }: { share: number }) {
  return (
    <span class="confidence" title="how sure this is">
      <svg width="40" height="4" viewBox="0 0 40 4" aria-hidden="true">
        <rect class="sla-track" width="40" height="4" rx="2" />
        <rect class="confidence-fill" width={Math.max(0, Math.min(1, share)) * 40} height="4" rx="2" />
      </svg>
      {percent(share)}
    </span>
  );
}
