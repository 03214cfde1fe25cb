import { rulesByPromtool } from "./rules-by-promtool.js";

rulesByPromtool("promtool", [30]);
