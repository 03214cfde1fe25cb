# What can be said without running anything.
source .ci/stage.sh

# absent PATTERN: in no tracked file, but for this one.
absent() { ! git grep --line-number -I --extended-regexp "$1" -- . ':!.ci/stages/static.sh'; }

registry=$(npm config get registry)
registry=${registry#*://}

check "lint" npm run lint
check "types" npm run types
check "the compose file" npm run lint:compose
check "no file names a package registry" absent "registry\.npm|${registry%%[:/]*}"
check "no file names a path of somebody's machine" absent "(^|[^[:alnum:]_.])/(home|root|work|Users)/[[:alnum:]]|$PWD/"
check "the lock file has no addresses" absent '"resolved": "https?:'
