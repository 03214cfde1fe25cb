import type { Page, Told } from "../told.js";
import { cutOff } from "./cut-off.js";
import type { Panel } from "./dashboard.js";

const report = { waiting: Number.POSITIVE_INFINITY, panels: [] as Told[] };

/** The components measure themselves when they are painted first. */
async function painted(): Promise<void> {
  for (let frames = 0; frames < 3; frames++) await new Promise(requestAnimationFrame);
}

Object.assign(globalThis, { report, painted, cutOff } satisfies Page);

export function expected(panels: number): void {
  report.waiting = panels;
}

/** A panel has been drawn, or could not be. A render error may come after the data. */
export function told({ title = "", type }: Panel, how: Pick<Told, "isEmpty" | "problem">): void {
  report.panels.push({ title, type, ...how });
  report.waiting--;
}
