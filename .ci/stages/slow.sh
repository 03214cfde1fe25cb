# The tests that need child processes, sockets, threads, bundlers or real time.
source .ci/stage.sh

suite "npm run test:slow" npm run test:slow --
