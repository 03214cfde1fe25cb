# Another Node, and another OpenTelemetry. Arguments: the major versions of both.
source .ci/stage.sh

# All of OpenTelemetry 3; `sdk-trace-node` has no version 3, `sdk-trace` took its place.
readonly OTEL_3=(
  @opentelemetry/api@1.10.0
  @opentelemetry/context-async-hooks@3.1.0
  @opentelemetry/core@3.1.0
  @opentelemetry/exporter-metrics-otlp-http@0.301.0
  @opentelemetry/exporter-prometheus@0.301.0
  @opentelemetry/exporter-trace-otlp-http@0.301.0
  @opentelemetry/instrumentation-runtime-node@0.37.0
  @opentelemetry/sdk-metrics@3.1.0
  @opentelemetry/sdk-node@0.301.0
  @opentelemetry/sdk-trace@3.1.0
)
# The newest p-queue, which needs Node 22. What `npm ci` installs is the newest for Node 20: with OpenTelemetry 2 that one is tried.
readonly P_QUEUE=p-queue@10.0.0
readonly SLOW_TESTS=(test/watchdog test/worker test/telemetry)
readonly TELEMETRY_TESTS=(test/telemetry test/instrument.test.ts test/adapters test/brokers)

# An older SDK beside the new one would be the one that is tried.
only_otel_3() {
  local installed
  installed=$(npm ls --all --parseable --long)
  grep '@opentelemetry/sdk-node@0\.3' <<< "$installed"
  ! grep -E '@opentelemetry/(sdk|exporter)-[a-z-]+@(2|0\.2)' <<< "$installed"
}

only_p_queue_10() { [[ $(npm ls --all --parseable --long | grep -c '[/:]p-queue@10\.') == 1 ]]; }

use_node "$1"
copy_tracked "$TEMP/project"
cd "$TEMP/project"

if (($2 == 2)); then
  npm ci
  suite "the fast tests on Node $1" npm test --
  suite "the slow tests of threads, signals and sockets on Node $1" npm run test:slow -- "${SLOW_TESTS[@]}"
else
  npm pkg delete devDependencies.@opentelemetry/sdk-trace-node devDependencies.@opentelemetry/sdk-trace-base
  # It wants the older API; what it is for needs a broker, and runs elsewhere.
  npm pkg delete devDependencies.@opentelemetry/instrumentation-amqplib
  npm install --save-dev --save-exact "${OTEL_3[@]}" "$P_QUEUE"
  check "no OpenTelemetry 2 is left" only_otel_3
  check "p-queue is that of the newest major version" only_p_queue_10
  ls "${TELEMETRY_TESTS[@]}" # each is there, or this stage fails
  suite "telemetry and adapter tests on Node $1 with OpenTelemetry 3 and $P_QUEUE" npx vitest run "${TELEMETRY_TESTS[@]}"
fi
