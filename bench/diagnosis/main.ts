/**
 * Does the watchdog find the cause? Each verdict is provoked by several real causes, each in a process of its own; the first verdict of
 * the first breach report counts. Prints who was taken for what; exits with 1 when a verdict is right too rarely, or when a healthy
 * program is reported.
 *
 *     npm run bench:diagnosis -- [--quick] [--runs N] [--jobs N] [--only VERDICT] [--cause TEXT] [--verbose]
 */
import { parseArgs } from "node:util";
import { CAUSES, HEALTHY } from "./causes/index.js";
import { Matrix } from "./matrix.js";
import { inParallel, type Run, runCause } from "./processes.js";

/** Share of a verdict's runs that must be right. */
const GOAL = 0.95;
/** Of all runs of a quick pass, which has one run of each cause: a single miss is more than 5 % of any verdict's. */
const QUICK_GOAL = 0.9;
const RUNS = 20;
/** Of each healthy program, so that there are 60 in all. */
const HEALTHY_RUNS = 10;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    runs: { type: "string" },
    jobs: { type: "string", default: "4" },
    only: { type: "string", multiple: true },
    cause: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

const jobs = wholeNumber("jobs", values.jobs);
const runsOfEach = wholeNumber("runs", values.runs ?? String(RUNS));
const unknown = values.only?.find((suite) => !Object.hasOwn(CAUSES, suite));
if (unknown !== undefined) fail(`--only must be one of ${Object.keys(CAUSES).join(", ")}, not "${unknown}"`);
const matrix = new Matrix();
const wrong: Run[] = [];
const alarms: Run[] = [];
const startedAt = performance.now();
const runs = await plan();
if (runs.length === 0) fail(`no cause has "${values.cause}" in its name`);
await inParallel(jobs, runs, async (run) => {
  const outcome = await runCause(run);
  if (run.suite === HEALTHY) {
    const isQuiet = outcome.verdict === undefined && outcome.stalls === 0;
    matrix.add(HEALTHY, isQuiet ? HEALTHY : (outcome.verdict ?? "stall"));
    if (!isQuiet) alarms.push({ ...run, outcome });
    return;
  }
  matrix.add(run.suite, outcome.verdict ?? "no report");
  if (outcome.verdict !== run.suite) wrong.push({ ...run, outcome });
});

for (const { suite, cause, outcome } of [...wrong, ...alarms]) {
  console.log(`${suite}, ${cause}: ${outcome!.verdict ?? "no report"}, ${outcome!.stalls} stalls`);
  if (values.verbose) console.log(`${outcome!.text}\n`);
}
console.log(`\n${matrix}\n`);
const verdicts = Object.keys(CAUSES).filter((suite) => suite !== HEALTHY && matrix.runs(suite) > 0);
const provoked = runs.filter(({ suite }) => suite !== HEALTHY).length;
const share = provoked === 0 ? 1 : 1 - wrong.length / provoked;
const tooRare = values.quick ? [] : verdicts.filter((suite) => matrix.accuracy(suite) < GOAL);
const isGood = alarms.length === 0 && tooRare.length === 0 && share >= (values.quick ? QUICK_GOAL : GOAL);
console.log(
  `${runs.length} runs in ${Math.round((performance.now() - startedAt) / 1_000)} s: ${(share * 100).toFixed(1)} % of ${provoked} right, ${alarms.length} false alarms${tooRare.length > 0 ? `; under ${GOAL * 100} %: ${tooRare.join(", ")}` : ""}`,
);
process.exitCode = isGood ? 0 : 1;

function wholeNumber(option: string, given: string): number {
  const number = Number(given);
  return Number.isSafeInteger(number) && number > 0
    ? number
    : fail(`--${option} must be a whole number from 1, not "${given}"`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** Whatever goes on in this machine meets all of them alike: their order is mixed. */
async function plan(): Promise<Run[]> {
  const planned: Run[] = [];
  for (const [suite, load] of Object.entries(CAUSES)) {
    if (values.only !== undefined && !values.only.includes(suite)) continue;
    const times = values.quick ? 1 : suite === HEALTHY ? HEALTHY_RUNS : runsOfEach;
    for (const { name, execArgv } of await load()) {
      if (values.cause !== undefined && !name.includes(values.cause)) continue;
      for (let i = 0; i < times; i++) planned.push({ suite, cause: name, execArgv });
    }
  }
  return planned
    .map((run) => ({ run, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ run }) => run);
}
