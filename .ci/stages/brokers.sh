# The brokers' adapters against Debian's Redis and RabbitMQ, and what tasks wait for with clients of databases: servers whose faults are real: servers killed, connections cut, memory that runs out.
source .ci/stage.sh

# Whatever the tests start has something in there, so its command line names it.
export TMPDIR=$TEMP/brokers
nothing_left() { ! grep --files-with-matches --text --fixed-strings "$TMPDIR" /proc/[0-9]*/cmdline 2> /dev/null; }

mkdir "$TMPDIR"
install_debian redis-server rabbitmq-server postgresql
REQUIRE_SERVERS=1 suite "brokers" npm run test:brokers --
check "no broker is left running" nothing_left
