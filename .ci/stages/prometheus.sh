# Dashboards, rules and the stack against Debian's Prometheus and Alertmanager: what promtool and amtool say, and faults in the demo that
# have to reach a webhook as alerts.
source .ci/stage.sh

# Whatever the tests start has something in there, so its command line names it.
export TMPDIR=$TEMP/live
nothing_left() { ! grep --files-with-matches --text --fixed-strings "$TMPDIR" /proc/[0-9]*/cmdline 2> /dev/null; }

mkdir "$TMPDIR"
install_debian prometheus prometheus-alertmanager jsonnet
# The rules hold on Prometheus 3, too, whose ranges begin a moment later. Its promtool is that of a newer Debian.
if unpack_debian forky "$TEMP/forky" promtool && "$TEMP/forky/usr/bin/promtool" --version; then
  mkdir "$TEMP/bin"
  ln -s "$TEMP/forky/usr/bin/promtool" "$TEMP/bin/promtool-3"
  PATH=$TEMP/bin:$PATH
else
  printf 'skipped\tthe rules on Prometheus 3: its promtool could not be had\n' >> "$RESULTS"
  export SKIP_SERVERS=promtool-3
fi
REQUIRE_SERVERS=1 suite "live Prometheus and Alertmanager" npm run test:prometheus --
check "no server is left running" nothing_left
check "the rules' tests notice a change in the rules (a sample)" npm run --silent test:rules:mutation -- --sample 8
