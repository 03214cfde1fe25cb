# The benchmarks run through and leave a report. How fast anything is, a machine that is shared can't say.
source .ci/stage.sh

readonly LIMIT=600 # seconds, on top of the build; alone on a quiet machine they take 120
readonly REPORT=$TEMP/bench.json

quick() {
  local started=$SECONDS
  npm run --silent bench -- --quick --json > "$REPORT"
  echo "$((SECONDS - started)) s"
  ((SECONDS - started <= LIMIT + built))
}

well_formed() {
  node - "$REPORT" <<'JS'
const assert = require("node:assert/strict");
const rows = JSON.parse(require("node:fs").readFileSync(process.argv[2], "utf8"));
assert.ok(Array.isArray(rows) && rows.length > 0, "no rows");
for (const row of rows) {
  const what = JSON.stringify(row);
  for (const name of ["group", "row", "node", "unit"]) assert.equal(typeof row[name], "string", `${name} in ${what}`);
  for (const name of ["measured", "spread"]) assert.ok(Number.isFinite(row[name]), `${name} in ${what}`);
  assert.ok(row.goal === null || Number.isFinite(row.goal), `goal in ${what}`);
  assert.equal(row.met === null, row.goal === null, `met in ${what}`);
}
console.log(`${rows.length} rows`);
JS
}

npm run build
built=$SECONDS
check "the quick benchmarks run through in $LIMIT s" quick
check "their report is well-formed" well_formed
