import type { ProcessRow } from "../../inspector/protocol.js";
import { ProcessName } from "../parts/process-name.js";
import { bytes, duration, percent } from "../state/format.js";
import { useView } from "../state/view.js";

/** The processes that one looks into: a click shows only the queues of that one. */
export function Processes() {
  const { state, route, go, store } = useView();
  const processes = [...state.rows.processes.values()];
  if (processes.length === 0 || route.view !== "overview") return null;
  const isOnly = processes.length === 1;
  return (
    <ul class="processes" aria-label="Processes">
      {processes.map((process) => {
        const isChosen = route.process === process.id;
        const goneAt = state.gone.get(process.id);
        const figures = (
          <Figures
            process={process}
            goneAt={goneAt}
            stall={state.stalls.get(process.id) ?? process.lastStall}
          />
        );
        return (
          <li key={process.id} class={`process${goneAt === undefined ? "" : " is-gone"}`}>
            {isOnly ? (
              <div class="process-box">
                <ProcessName process={process} />
                {figures}
              </div>
            ) : (
              <button
                type="button"
                class="process-box"
                aria-pressed={isChosen}
                onClick={() => go({ ...route, process: isChosen ? undefined : process.id })}
              >
                <ProcessName process={process} />
                {figures}
              </button>
            )}
            {goneAt !== undefined && (
              <button type="button" class="quiet" onClick={() => store.dismiss(process.id)}>
                Take away
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** A stall that is longer ago than this is history. */
const STALL_SHOWN_MS = 60_000;

function Figures(props: { process: ProcessRow; goneAt: number | undefined; stall: ProcessRow["lastStall"] }) {
  const { process, goneAt, stall } = props;
  const { at } = useView();
  if (goneAt !== undefined) return <span class="muted">ended; these were its last figures</span>;
  return (
    <span class="process-figures">
      <span>
        <span class="muted">loop</span> {percent(process.loopUtilization)}
      </span>
      <span>
        <span class="muted">CPU</span> {percent(process.cpu)}
      </span>
      <span>
        <span class="muted">heap</span> {bytes(process.heapBytes)}
        <span class="muted"> of {bytes(process.heapLimitBytes)}</span>
      </span>
      {stall !== undefined && at - stall.startedAt < STALL_SHOWN_MS && (
        <span class="strong">
          blocked for {duration(stall.durationMs)}
          {stall.where !== undefined && (
            <>
              {" in "}
              <bdi>{stall.where}</bdi>
            </>
          )}
        </span>
      )}
    </span>
  );
}
