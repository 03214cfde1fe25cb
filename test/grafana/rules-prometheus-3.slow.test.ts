import { rulesByPromtool } from "./rules-by-promtool.js";

// Its ranges don't include their first moment: whatever looks back a little too short is seen here.
rulesByPromtool("promtool-3", [15], true);
