// Turns vitest's JSON report into lines `outcome<tab>name`, one per test. What the report leaves out is a failure: a file that
// could not be loaded, an error outside of any test, a run without tests or without report.
// Arguments: the report, vitest's exit code, the suite's name.
import { existsSync, readFileSync } from "node:fs";

const [file, exitCode, suite] = process.argv.slice(2);
const lines = [];
let failed = 0;

function add(outcome, name) {
  if (outcome === "failed") failed++;
  lines.push(`${outcome}\t${name.replace(/\s+/g, " ").trim()}`);
}

if (existsSync(file)) {
  const report = JSON.parse(readFileSync(file, "utf8"));
  for (const { name, status, message, assertionResults } of report.testResults) {
    const path = name.slice(name.lastIndexOf("/test/") + 1);
    const before = failed;
    for (const test of assertionResults) {
      const outcome = test.status === "passed" || test.status === "failed" ? test.status : "skipped";
      // The messages without their stacks: of each try, where a test is tried again.
      const why = (test.failureMessages ?? []).map((message) => message.split(/\n +at /)[0]).join("; ");
      add(outcome, `${path}: ${test.fullName}${outcome === "failed" ? ` (${why.slice(0, 300)})` : ""}`);
    }
    if (status === "failed" && failed === before) add("failed", `${path}: ${message.slice(0, 300)}`);
  }
}
if (lines.length === 0) add("failed", `${suite}: no tests were run`);
if (exitCode !== "0" && failed === 0) add("failed", `${suite}: exit code ${exitCode}, though no test failed`);
console.log(lines.join("\n"));
