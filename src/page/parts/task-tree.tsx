import { useState } from "preact/hooks";
import type { FrameRow, TaskRow, WaitRow } from "../../inspector/protocol.js";
import { duration, some } from "../state/format.js";
import { CorrelationId, TraceLink } from "./ids.js";
import { Nothing } from "./section.js";

/** So many tasks of a group are shown until all are asked for. */
const SHOWN_TASKS = 6;

interface Group {
  readonly key: string;
  readonly title: string;
  readonly tasks: readonly TaskRow[];
}

/** Tasks in flight: by what they wait for, then each with the functions that it is in and the line at which it waits. */
export function TaskTree({ tasks }: { tasks: readonly TaskRow[] }) {
  if (tasks.length === 0) return <Nothing>Nothing is in flight.</Nothing>;
  return (
    <ul class="tree">
      {groupsOf(tasks).map((group) => (
        <GroupNode key={group.key} group={group} />
      ))}
    </ul>
  );
}

function groupsOf(tasks: readonly TaskRow[]): Group[] {
  const groups = new Map<string, TaskRow[]>();
  for (const task of tasks) {
    const key = keyOf(task);
    const list = groups.get(key);
    if (list === undefined) groups.set(key, [task]);
    else list.push(task);
  }
  return [...groups]
    .map(([key, list]) => ({ key, title: titleOf(list[0]!), tasks: list }))
    .sort((a, b) => b.tasks.length - a.tasks.length);
}

function keyOf({ waits, step, neverResumes }: TaskRow): string {
  const wait = waits.at(-1);
  return JSON.stringify([
    neverResumes === true,
    wait === undefined ? ["step", step] : [wait.kind, wait.label],
  ]);
}

/** Kinds whose label is what the application itself calls it. */
const OWN_WORDS: ReadonlySet<string> = new Set(["label", "step", "own"]);

/** What a wait is for, in words. */
function waitWords({ kind, label }: WaitRow): string {
  return OWN_WORDS.has(kind) ? label : `${kind} ${label}`;
}

function titleOf({ waits, step, neverResumes }: TaskRow): string {
  const wait = waits.at(-1);
  if (neverResumes === true)
    return wait === undefined ? "can never resume" : `can never resume: ${waitWords(wait)}`;
  if (wait !== undefined) return `waiting for ${waitWords(wait)}`;
  return step === undefined ? "at work, wait unknown" : `at step “${step}”, wait unknown`;
}

function GroupNode({ group: { title, tasks } }: { group: Group }) {
  const [isOpen, open] = useState(true);
  const [isAll, showAll] = useState(false);
  const shown = isAll ? tasks : tasks.slice(0, SHOWN_TASKS);
  const longest = Math.max(...tasks.map(({ waits, runningMs }) => waits.at(-1)?.forMs ?? runningMs ?? 0));
  return (
    <li class="tree-group">
      <button type="button" class="tree-toggle" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
        <Chevron isOpen={isOpen} />
        <span class="tree-title">
          <b>{some(tasks.length, "task")}</b> <bdi>{title}</bdi>
        </span>
        <span class="number muted">up to {duration(longest)}</span>
      </button>
      {isOpen && (
        <ul>
          {shown.map((task, i) => (
            <TaskNode key={`${task.correlationId}${task.worker ?? i}`} task={task} />
          ))}
          {tasks.length > shown.length && (
            <li>
              <button type="button" class="quiet" onClick={() => showAll(true)}>
                {tasks.length - shown.length} more
              </button>
            </li>
          )}
        </ul>
      )}
    </li>
  );
}

function TaskNode({ task }: { task: TaskRow }) {
  const { correlationId, traceId, tier, attempt, runningMs, step, worker, waits, frames, putAt } = task;
  return (
    <li class="task">
      <div class="task-line">
        <CorrelationId id={correlationId} />
        <TraceLink id={traceId} />
        <span class="task-facts muted">
          <bdi>{tier}</bdi>
          {attempt > 1 && <> · attempt {attempt}</>}
          {worker !== undefined && (
            <>
              {" · "}
              <bdi>{worker}</bdi>
            </>
          )}
          {step !== undefined && (
            <>
              {" · "}
              <bdi>{step}</bdi>
            </>
          )}
        </span>
        <span class="number">{duration(runningMs)}</span>
      </div>
      {frames !== undefined && frames.length > 0 && <Frames frames={frames} />}
      {waits.length > 0 && (
        <ul>
          {waits.map((wait, i) => (
            <WaitNode key={i} wait={wait} />
          ))}
        </ul>
      )}
      {putAt?.[0] !== undefined && (
        <div class="place muted" title={putAt.join("\n")}>
          put at <bdi>{putAt[0]}</bdi>
        </div>
      )}
    </li>
  );
}

/** Outermost first: each is called by the one above it. */
function Frames({ frames: [frame, ...inner] }: { frames: readonly FrameRow[] }) {
  if (frame === undefined) return null;
  const { fn, file, line, children } = frame;
  return (
    <ul>
      <li>
        <span class="frame">
          <bdi class="frame-fn">{fn}</bdi>{" "}
          <span class="place">
            <bdi>
              {file}:{line}
            </bdi>
          </span>
        </span>
        {children?.map((child, i) => (
          <Frames key={i} frames={[child]} />
        ))}
        {inner.length > 0 && <Frames frames={inner} />}
      </li>
    </ul>
  );
}

function WaitNode({ wait }: { wait: WaitRow }) {
  const { state, forMs, at } = wait;
  return (
    <li class="wait">
      <span class="wait-line">
        <bdi>{waitWords(wait)}</bdi>
        {state !== undefined && (
          <span class="muted">
            {" "}
            <bdi>{state}</bdi>
          </span>
        )}
        <span class="number muted">{duration(forMs)}</span>
      </span>
      {at?.[0] !== undefined && (
        <span class="place" title={at.join("\n")}>
          <bdi>{at[0]}</bdi>
        </span>
      )}
    </li>
  );
}

function Chevron({ isOpen }: { isOpen: boolean }) {
  return (
    <svg
      class={`chevron${isOpen ? " is-open" : ""}`}
      viewBox="0 0 12 12"
      width="12"
      height="12"
      aria-hidden="true"
    >
      <path d="M4.5 2.5 8 6 4.5 9.5" />
    </svg>
  );
}
