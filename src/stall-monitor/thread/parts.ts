import type { shown } from "../../base/shown.js";
import type { Layout } from "../shared-heads.js";
import type { makeHeads } from "./heads.js";
import type { heaviest } from "./heaviest.js";
import type { makeInquiry } from "./inquiry.js";
import type { makePulse, makeWaited } from "./pulse.js";
import type { makeSampler } from "./sampler.js";
import type { makeStallLog } from "./stall-log.js";
import type { makeStory } from "./story.js";

/** What the thread is made of. */
export interface Parts {
  readonly heaviest: typeof heaviest;
  readonly makeHeads: typeof makeHeads;
  readonly makeInquiry: typeof makeInquiry;
  readonly makeStallLog: typeof makeStallLog;
  readonly makePulse: typeof makePulse;
  readonly makeSampler: typeof makeSampler;
  readonly makeStory: typeof makeStory;
  readonly makeWaited: typeof makeWaited;
  readonly shown: typeof shown;
}

/** What it is told when it starts. */
export interface ThreadData {
  readonly buffer: SharedArrayBuffer;
  readonly layout: Layout;
  readonly thresholdMs: number;
  readonly everyMs: number;
  readonly profileEveryMs: number;
  readonly print: boolean;
  readonly reportDir: string | undefined;
  /** Folders of this library's own code. */
  readonly ours: readonly string[];
  /** Whether threads may connect to main's inspector. Asking is fatal where they may not. */
  readonly mayInspect: boolean;
  /** Whether Node itself profiles main. */
  readonly isProfiled: boolean;
  /** Evaluated in main, it gives the `Answers`. */
  readonly answers: string;
}
