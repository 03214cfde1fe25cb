# The page of the live view in Debian's Chromium: figures, breaches, restarts, hostile names, keyboard, phone, accessibility.
source .ci/stage.sh

# Whatever the tests start has something in there, so its command line names it.
export TMPDIR=$TEMP/page
nothing_left() { ! grep --files-with-matches --text --fixed-strings "$TMPDIR" /proc/[0-9]*/cmdline 2> /dev/null; }

mkdir "$TMPDIR"
install_debian chromium
REQUIRE_SERVERS=1 suite "the page in a browser" npm run test:page --
check "no browser is left running" nothing_left
