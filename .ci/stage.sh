# What a stage may call. A stage stops at the first command that fails, and then has failed; only what runs under `check`
# and `suite` is counted, and lets the stage go on.
set -euo pipefail
readonly ROOT=$PWD
mkdir -p "$TEMP"

# check "what must hold" COMMAND...: counted as one. A subshell outside any condition, so that `set -e` holds in functions.
check() {
  local what=$1 status
  shift
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  if ((status == 0)); then printf 'passed\t%s\n' "$what" >> "$RESULTS"; else printf 'failed\t%s\n' "$what" >> "$RESULTS"; fi
  echo "[exit code $status] $what"
}

# suite "what" COMMAND...: a command that runs vitest; each of its tests is counted. Vitest's options are appended.
suite() {
  local what=$1 report status
  shift
  report=$(mktemp -u "$TEMP/vitest-XXXXXX.json")
  set +e
  "$@" --reporter=default --reporter=json --outputFile.json="$report"
  status=$?
  set -e
  echo "[exit code $status] $what"
  node "$ROOT/.ci/vitest-results.mjs" "$report" "$status" "$what" >> "$RESULTS"
}

# copy_tracked FOLDER: what git has, as a newcomer would get it.
copy_tracked() {
  mkdir -p "$1"
  git ls-files -z | tar --create --null --files-from=- | tar --extract --directory="$1"
}

# use_node MAJOR: puts the newest Node of that line first in PATH. It is a package of the registry, without install scripts.
use_node() {
  local package folder=$(dirname "$TEMP")/node-$1
  package=node-linux-$(node -p process.arch)
  npm install --prefix "$folder" "$package@$1"
  PATH=$folder/node_modules/$package/bin:$PATH
  hash -r
  [[ $(node -p process.versions.node) == "$1".* ]]
}

# install_debian PACKAGE...: without starting the services that come with them, neither now nor at the next boot. They
# would listen on all interfaces; the tests start servers of their own, on loopback.
install_debian() {
  local missing=() package policy=/usr/sbin/policy-rc.d
  for package in "$@"; do
    dpkg-query --show --showformat='${Status}' "$package" 2> /dev/null | grep -q '^install ok installed$' || missing+=("$package")
  done
  ((${#missing[@]} > 0)) || return 0
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap "rm -f $policy" EXIT
  fi
  apt-get -o DPkg::Lock::Timeout=120 update
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends "${missing[@]}"
  for package in "${missing[@]}"; do
    if command -v systemctl > /dev/null; then systemctl disable "$package" || true; fi
  done
}

# unpack_debian SUITE FOLDER PACKAGE...: packages of another release, unpacked in the folder; nothing is installed, and apt's own lists
# stay as they are. Fails where they can't be had.
unpack_debian() {
  local suite=$1 folder=$2 site keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  shift 2
  site=$(apt-get indextargets --format '$(SITE)' 'Identifier: Packages' | grep '/debian/*$' | sort -u | head -n 1)
  [[ -n $site ]] || return 1
  mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
  echo "deb [signed-by=$keyring] $site $suite main" > "$folder/apt/sources.list"
  local apt=(apt-get -o APT::Sandbox::User=root -o Dir::Etc::sourcelist="$folder/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache")
  "${apt[@]}" update || return 1
  (cd "$folder/apt" && "${apt[@]}" download "$@") || return 1
  local package
  for package in "$folder"/apt/*.deb; do dpkg --extract "$package" "$folder" || return 1; done
}

# in_readme COMMAND: the README has this line in a fenced block.
in_readme() { awk '/^```/ { inside = !inside; next } inside' README.md | grep --fixed-strings --line-regexp -- "$1"; }
