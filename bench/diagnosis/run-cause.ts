/** Runs one cause in this process, and sends what came of it: `run-cause.ts VERDICT CAUSE`. */
import { CAUSES } from "./causes/index.js";
import { Stage } from "./stage.js";

/** A program in which nothing is reported by then is a healthy one. */
const LIMIT_MS = 6_000;

const [suite, name] = process.argv.slice(2);
const causes = await CAUSES[suite!]!();
const cause = causes.find((each) => each.name === name)!;
const stage = new Stage((outcome) => process.send!(outcome, () => process.exit()));
setTimeout(() => stage.end(), LIMIT_MS);
await cause.run(stage);
