import type { ProcessRow } from "../../inspector/protocol.js";

/** Name and pid: what one says to tell processes apart. */
export function ProcessName({ process }: { process: ProcessRow | undefined }) {
  if (process === undefined) return <span class="muted">unknown process</span>;
  return (
    <span class="process-name" title={`${process.name}, process ${process.pid} on ${process.host}`}>
      <bdi>{process.name}</bdi> <span class="muted">{processNumber(process)}</span>
    </span>
  );
}

/** `4242`, or `4242/3` of its third thread. */
export function processNumber({ pid, threadId }: ProcessRow): string {
  return threadId === undefined ? `${pid}` : `${pid}/${threadId}`;
}
