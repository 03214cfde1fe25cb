import { findProgram } from "../../scripts/stack/find-program.js";
import { rulesByPromtool } from "./rules-by-promtool.js";

// Scrapes that are rare: with one that is late, a range has just two of them. The tests of single rules are Prometheus 3's part, where that is there.
rulesByPromtool("promtool", [60], findProgram("promtool-3") === undefined);
