import { shown } from "../base/shown.js";
import type { ProcessInfo } from "../inspector/protocol.js";
import { CombinedView } from "../inspector/remote/combined-view.js";
import { socketFolders } from "../inspector/sockets/folders.js";
import { findProcess, ViewError } from "../inspector/view.js";
import { CommandError, EXIT } from "./command.js";
import { held } from "./held.js";

/** Runs a command on all processes of this user that can be looked into. What they refuse ends it with words and an exit code. */
export async function withProcesses<R>(act: (view: CombinedView) => Promise<R>): Promise<R> {
  const view = new CombinedView();
  try {
    return await held(() => act(view));
  } catch (error) {
    if (!(error instanceof ViewError)) throw error;
    const code = error.code === "not_found" ? EXIT.noProcess : EXIT.unreachable;
    throw new CommandError(error.message, error.code === "bad_request" ? EXIT.usage : code);
  } finally {
    view.close();
  }
}

/** Those that are there now; throws where there are none. */
export async function processesNow(view: CombinedView): Promise<readonly ProcessInfo[]> {
  await view.find();
  if (view.processes.length === 0) throw new CommandError(nothingToSee(), EXIT.noProcess);
  return view.processes;
}

/** The one that is meant by a pid or an ID. */
export async function processBy(view: CombinedView, wanted: string): Promise<ProcessInfo> {
  const processes = await processesNow(view);
  const found = findProcess(processes, wanted);
  if (found !== undefined) return found;
  const known = processes.map(({ pid, name }) => `${pid} (${shown(name)})`).join(", ");
  throw new CommandError(
    `no process ${shown(wanted)} can be looked into; there are ${known}. One that was not started with QUEUESCOPE_INSPECT=1 and doesn't call inspect() is not among them`,
    EXIT.noProcess,
  );
}

export function nothingToSee(): string {
  return (
    "no process of this user can be looked into. Start one with QUEUESCOPE_INSPECT=1, or call inspect() of queuescope/inspect in it; it shows up once it has an " +
    `instrumented queue. Looked for sockets in ${socketFolders().join(", ")}; in a container, run this command inside (docker exec, kubectl exec)`
  );
}
