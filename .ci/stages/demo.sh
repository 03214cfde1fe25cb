# The README's first command, but for its ports, which may be taken here. `npm ci` was the stage before.
source .ci/stage.sh

check "the README's first command is the demo" in_readme "npm ci && npm run demo"
check "the demo runs, and ends by itself" npm run demo -- --port 0 --metrics-port 0 --seconds 3
