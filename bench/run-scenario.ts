import { scenariosOf } from "./groups.js";
import { FULL, QUICK } from "./scenario.js";

/** One scenario, alone in its process; its findings go to the parent. */
const [group, name, pace] = process.argv.slice(2);
const scenario = (await scenariosOf(group!)).find((each) => each.name === name)!;
const findings = await scenario.run(pace === "quick" ? QUICK : FULL);
process.send!(findings, () => process.exit());
