import { processWide } from "../../base/process-wide.js";
import { Hub } from "./hub.js";

const { inspection } = processWide;

/** How many use it. */
const users = new WeakMap<object, number>();

/** The hub of the process, which is made and started by the first that uses it. `release` ends that use; the last one stops it. */
export function useHub(name?: string): { readonly hub: Hub; readonly release: () => void } {
  // One of another copy of this library has the same form: what all copies share has a version.
  const hub = (inspection.hub as Hub | undefined) ?? new Hub(name);
  if (name !== undefined) hub.process.name = name;
  if (inspection.hub === undefined) {
    inspection.hub = hub;
    hub.start();
  }
  users.set(hub, (users.get(hub) ?? 0) + 1);
  let isOver = false;
  return {
    hub,
    release: () => {
      if (isOver) return;
      isOver = true;
      const left = users.get(hub)! - 1;
      users.set(hub, left);
      if (left > 0 || inspection.hub !== hub) return;
      inspection.hub = undefined;
      hub.stop();
    },
  };
}
