import type { FailureKind, HeadRow } from "../../inspector/protocol.js";
import { CorrelationId, TraceLink } from "../parts/ids.js";
import { Nothing } from "../parts/section.js";
import { clock, count, duration } from "../state/format.js";

/** Payloads are cut here: a page is not the place to read a megabyte. */
const MAX_PAYLOAD = 2_000;

/** Items that wait, in the order in which they are served. */
export function HeadTable({ head }: { head: readonly HeadRow[] }) {
  if (head.length === 0) return <Nothing>Nothing waits.</Nothing>;
  return (
    <div class="scroll">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Correlation ID</th>
            <th scope="col">Tier</th>
            <th scope="col" class="number">
              Attempt
            </th>
            <th scope="col" class="number">
              Waited
            </th>
          </tr>
        </thead>
        <tbody>
          {head.map((item, i) => (
            <tr key={`${i}${item.correlationId ?? ""}`}>
              <th scope="row" class="cell-id">
                <CorrelationId id={item.correlationId} /> <TraceLink id={item.traceId} />
                {item.payload !== undefined && <Payload value={item.payload} />}
              </th>
              <td>
                <bdi>{item.tier}</bdi>
              </td>
              <td class="number">{item.attempt}</td>
              <td class="number">{duration(item.waitMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Payload({ value }: { value: unknown }) {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return <div class="payload">{text.length > MAX_PAYLOAD ? `${text.slice(0, MAX_PAYLOAD)}…` : text}</div>;
}

/** What has failed lately, by kind. */
export function FailureList({ failures }: { failures: readonly FailureKind[] }) {
  if (failures.length === 0) return <Nothing>Nothing has failed.</Nothing>;
  return (
    <ul class="failures">
      {failures.map(({ kind, count: n, lastAt, message }) => (
        <li key={kind}>
          <span class="failure-count">{count(n)}×</span>
          <span class="failure-kind">
            <bdi>{kind}</bdi>
          </span>
          <span class="muted">last at {clock(lastAt)}</span>
          <span class="failure-message">
            <bdi>{message}</bdi>
          </span>
        </li>
      ))}
    </ul>
  );
}
