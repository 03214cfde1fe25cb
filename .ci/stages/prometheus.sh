# Live: the demo, scraped by a real Prometheus.
source .ci/stage.sh

# Whoever else runs one here is none of our business, as long as we leave none.
running() { grep -l -x prometheus /proc/[0-9]*/comm 2> /dev/null || true; }
nothing_left() { [[ $(running) == "$before" ]]; }

before=$(running)
install_debian prometheus
REQUIRE_SERVERS=1 suite "live Prometheus" npx vitest run test/live/prometheus.test.ts
check "no Prometheus is left running" nothing_left
