import { INSTRUMENTS, type InstrumentName } from "../../telemetry/metrics/instruments.js";
import { slices } from "../../telemetry/metrics/slices.js";
import { pointsInText } from "../../telemetry/metrics/text.js";
import { TextPages } from "../../telemetry/metrics/text-pages.js";
import { headOf } from "../metric-head.js";

/** What this process has for Prometheus, of our metrics, in slices: with hundreds of queues it takes longer than the event loop may stand still. */
export async function metricsInText(): Promise<string> {
  const text = new TextPages();
  const parts: string[] = [];
  try {
    for (const name of Object.keys(INSTRUMENTS) as InstrumentName[]) {
      let hasHead = false;
      for (const piece of pointsInText(name, "", text)) {
        if (piece.length > 0) {
          if (!hasHead) parts.push(headOf(name));
          hasHead = true;
          parts.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString());
        }
        if (slices.isOver) await slices.next();
      }
    }
  } finally {
    text.release();
  }
  return parts.join("");
}
