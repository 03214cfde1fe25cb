# The tests that need child processes, sockets, threads, bundlers or real time.
source .ci/stage.sh

# promtool comes with it, and says what Prometheus could read.
install_debian prometheus
REQUIRE_SERVERS=1 suite "npm run test:slow" npm run test:slow --
