import { join } from "node:path";
import { rolldown } from "rolldown";
import { ROOT } from "./paths.mjs";

const SOURCE = join(ROOT, "src/stall-monitor/thread/source.ts");

/**
 * The program of the thread that watches for stalls is made of the text of functions. Here that is done once and for all: as a string it
 * survives what users' bundlers do to functions, which may move parts of them elsewhere.
 */
export async function stallThreadAsText() {
  const build = await rolldown({ input: SOURCE, platform: "node", transform: { target: "node20.19" } });
  const { output } = await build.generate({
    format: "es",
    comments: { legal: false, annotation: false, jsdoc: false },
  });
  await build.close();
  const { threadSource } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
  const text = threadSource();
  new Function(text); // is it a program?
  return {
    name: "stall-thread-as-text",
    load(id) {
      if (id !== SOURCE) return undefined;
      return `export function threadSource() { return ${JSON.stringify(text)}; }`;
    },
  };
}
