import { processWide } from "../base/process-wide.js";
import { warn } from "../base/warning.js";

const { inspection } = processWide;

/** Whether the environment wants the process to be looked into; it is asked once, when there first is something to see. */
export function askEnvironment(): void {
  if (inspection.isAsked) return;
  inspection.isAsked = true;
  const { QUEUESCOPE_INSPECT } = process.env;
  if (!QUEUESCOPE_INSPECT || QUEUESCOPE_INSPECT === "0" || QUEUESCOPE_INSPECT === "false") return;
  import("../inspector/by-environment.js").then(
    ({ inspectByEnvironment }) => inspectByEnvironment(QUEUESCOPE_INSPECT),
    (error: unknown) => warn("queuescope: this process can't be looked into", error),
  );
}
