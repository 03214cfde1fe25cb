import { shown } from "../base/shown.js";
import { warnThat } from "../base/warning.js";
import { inspect } from "./inspect.js";

/** What `QUEUESCOPE_INSPECT` asks for. */
export function inspectByEnvironment(value: string): void {
  if (value === "1" || value === "true") inspect();
  else
    warnThat(
      `queuescope: QUEUESCOPE_INSPECT must be 1 or 0, not "${shown(value)}": this process can't be looked into`,
    );
}
