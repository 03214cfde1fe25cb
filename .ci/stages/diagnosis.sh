# Every cause of every verdict once, each in a process of its own: is it named first? The long form, which asks for 95 % of each verdict,
# is `npm run bench:diagnosis`; here chance weighs more, so 90 % of all must be right. A false alarm fails either.
source .ci/stage.sh

check "the watchdog names the cause, and leaves healthy programs alone" npm run bench:diagnosis -- --quick
