# A short form of the soak: worker pools under everything that can go wrong. The long one is `npm run soak:workers`.
source .ci/stage.sh

readonly LIMIT=300 # seconds, for what never ends; alone they take 6

# soak SEED
soak() { timeout --kill-after=5 "$LIMIT" npm run --silent soak:workers -- --items 50000 --seed "$1"; }

for seed in 1 2; do
  check "50 000 items are accounted for, and nothing is left behind (seed $seed)" soak "$seed"
done
