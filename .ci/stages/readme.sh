# The README's second command, as a newcomer gives it; before anything else.
source .ci/stage.sh

readonly command='npm ci && npm test'

suite "$command" bash -c "$command -- \"\$@\"" test
check "the README has this command" in_readme "$command"
