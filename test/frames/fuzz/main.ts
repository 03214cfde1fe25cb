/**
 * Random async programs behave the same with and without frames: values, errors and where they were thrown, the order of microtasks, unhandled rejections.
 * `npm run fuzz:frames -- --programs 500 --seed 1`. Prints a summary; exits with 1 at the first difference, with the program's seed.
 */
import { parseArgs } from "node:util";
import { firstDifference } from "./differences.js";

const { values } = parseArgs({ options: { programs: { type: "string" }, seed: { type: "string" } } });
const PROGRAMS = Number(values.programs ?? 100_000);
const SEED = Number(values.seed ?? 1);
if (!(PROGRAMS >= 1) || !Number.isInteger(SEED)) {
  console.error("usage: npm run fuzz:frames -- [--programs N] [--seed N], N from 1");
  process.exit(2);
}

const difference = await firstDifference(SEED, PROGRAMS, (done) => console.log(`${done} programs`));
if (difference === undefined)
  console.log(`${PROGRAMS} programs from seed ${SEED} behave the same, Node ${process.version}`);
else {
  console.log(difference);
  process.exit(1);
}
