import { shown } from "../../base/shown.js";
import { makeHeads } from "./heads.js";
import { heaviest, makeInquiry, makeSampler } from "./inspector.js";
import { makePulse, makeWaited } from "./pulse.js";
import { run, type ThreadData } from "./run.js";
import { makeStallLog } from "./stall-log.js";
import { makeStory } from "./story.js";

export type { ThreadData };

const PARTS = {
  heaviest,
  makeHeads,
  makeInquiry,
  makeStallLog,
  makePulse,
  makeSampler,
  makeStory,
  makeWaited,
  shown,
};

/**
 * The thread's program. It is text and no file, so that it runs wherever the library does: compiled, from its sources by a tool such as
 * tsx, in a bundle. esbuild, which tsx is made of, may
 * have every function in it pass through a helper that keeps its name; here that does nothing.
 */
export function threadSource(): string {
  const parts = Object.entries(PARTS).map(([name, part]) => `${name}: ${part}`);
  return `var ${nameKeeper()} = (each) => each;
(${run})(require, { ${parts.join(",\n")} }, require("node:worker_threads").workerData);`;
}

/** What the helper is called; a minifier gives it another name. */
function nameKeeper(): string {
  const sample = () => {
    const named = () => 0;
    return named;
  };
  return /([\w$]+)\(\s*\(\)\s*=>\s*0/.exec(String(sample))?.[1] ?? "__name";
}
