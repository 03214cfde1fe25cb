# The dashboards, drawn in Debian's Chromium with Grafana's own components, from a run of the demo in which a consumer becomes slow: columns and
# legends that are cut off, panels that are empty or fail. The pictures stay with the logs. All scenes are `npm run dashboards:draw`.
source .ci/stage.sh

readonly PICTURES=$(dirname "$RESULTS")/dashboards

draw() { node --import tsx tools/dashboards/draw.ts --out "$PICTURES" --theme dark "$@"; }

# Without this, nothing that is to be mended might mean that nothing is looked at.
finds() {
  local found fault
  found=$(draw --dashboards tools/dashboards/unreadable --scene started --width 1180) && return 1
  echo "$found"
  for fault in "Wrong query: a query failed" "Unknown panel: it could not be rendered" "Wide table: its columns need" \
    'Narrow column: "1234567" is cut off' "Long legend: its legend shows" "Nothing: it is empty"; do
    grep --fixed-strings "$fault" <<< "$found"
  done
}

install_debian chromium fonts-inter prometheus prometheus-alertmanager
npm ci --prefix tools/dashboards --ignore-scripts
npm run build
check "types of the page that draws" npx tsc -p tools/dashboards/page
check "what can't be read is found" finds
check "every dashboard can be read, at 1180 and 1500 pixels" draw --scene slow-consumer
