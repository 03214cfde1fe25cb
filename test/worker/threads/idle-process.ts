import { inThreads } from "../../../src/worker/threads.js";

const double = inThreads(new URL("./jobs.js", import.meta.url), {
  execArgv: ["--import", new URL("../../support/typescript-in-threads.mjs", import.meta.url).href],
});
console.log(await double(["double", 21]));
