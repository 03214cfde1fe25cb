# The package as users get it: what is in the tarball, and whether it works in an empty project, from ESM, from `require`
# and from strict TypeScript.
source .ci/stage.sh

readonly CONSUMER=$ROOT/.ci/consumer

no_strays() {
  local file strays=()
  while read -r file; do
    case $file in
      package.json | README.md | LICENSE | CHANGELOG.md | docs/*) ;;
      grafana/alertmanager/*.yml | grafana/dashboards/*.json | grafana/provisioning/*/*.yml | grafana/rules/*.yml) ;;
      grafana/kubernetes/*.yaml | grafana/kubernetes/dashboards/*.yaml | grafana/mixin/*.libsonnet) ;;
      dist/chunks/*.js | dist/chunks/*.cjs | dist/chunks/*.d.ts | dist/chunks/*.d.cts | dist/thread.js | dist/frames-thread.js | dist/frames-runtime.js | dist/cli.js) ;;
      dist/page/index.html | dist/page/main-*.js | dist/page/style-*.css | dist/page/licenses.txt) ;;
      dist/*/*) strays+=("$file") ;;
      dist/*.js | dist/*.cjs | dist/*.d.ts | dist/*.d.cts)
        [[ -e $(sed -E 's,^dist/,src/,; s,(\.d\.c?ts|\.c?js)$,.ts,' <<< "$file") ]] || strays+=("$file")
        ;;
      *) strays+=("$file") ;;
    esac
  done < "$TEMP/files"
  echo "strays: ${strays[*]-}"
  ((${#strays[@]} == 0))
}

complete() {
  local file
  for file in package.json README.md LICENSE $(node -p '
    const leaves = (e) => (typeof e === "string" ? [e] : Object.values(e).flatMap(leaves));
    const { bin, exports, typesVersions, main, types } = require("./package.json");
    [...new Set([...leaves(exports), ...leaves(bin), ...leaves(typesVersions), main, types])].join(" ")'); do
    grep --fixed-strings --line-regexp "${file#./}" "$TEMP/files"
  done
}

# Each one costs time when it is loaded, and maps would point at sources that aren't there. Of the command's, those of one subcommand are loaded.
few() { ! grep '\.map$' "$TEMP/files" && (($(grep '^dist/' "$TEMP/files" | grep -c -v -e '^dist/chunks/cli-' -e '^dist/page/') <= 65)); }

up_to_date() {
  local before
  before=$(ls -l --time-style=full-iso dist/index.js)
  npm run build
  [[ $(ls -l --time-style=full-iso dist/index.js) == "$before" ]]
}

# Optional peers that come all the same would hide a missing one.
without_sdk() { ! ls node_modules/@opentelemetry | grep -v -x api; }
tsc() { npx tsc --project "$1"; }

# Older settings of TypeScript, which version 7 no longer has.
old_tsc() { "$TEMP/typescript-5/node_modules/.bin/tsc" --project "$1"; }

# The way of ts-jest: CommonJS, types looked for as in Node 10.
jest() {
  mkdir "$TEMP/jest"
  cp "$CONSUMER"/jest/* "$TEMP/jest"
  cd "$TEMP/jest"
  npm install "$tarball" @opentelemetry/api jest@30 ts-jest@29 typescript@5.9 @types/jest@30 "@types/node@$(dev_version @types/node)"
  npx jest
}

# Other runtimes, which come as packages of the registry. Both have install scripts that put the program in place.
bun() { runtime bun@1 && "$TEMP/runtimes/node_modules/.bin/bun" runtime.mjs; }
deno() { runtime deno@2 && "$TEMP/runtimes/node_modules/.bin/deno" run --allow-all runtime.mjs; }
runtime() { npm install --prefix "$TEMP/runtimes" --foreground-scripts "$1"; }

copy_tracked "$TEMP/package"
ln -s "$ROOT/node_modules" "$TEMP/package/node_modules"
cd "$TEMP/package"
npm pack --pack-destination "$TEMP" # builds it, too
tarball=$(echo "$TEMP"/*.tgz)
tar --list --file "$tarball" | sed 's,^package/,,' > "$TEMP/files"
check "the tarball has no stray files" no_strays
check "the tarball has all that package.json promises" complete
check "the tarball has few files" few
check "nothing is left to build for who packs it twice" up_to_date
check "publint finds nothing" npx publint run "$tarball" --strict
check "types are found, and right, by every resolution" npx attw "$tarball"

# The README's commands as a newcomer gives them, in that order, with the versions that npm picks; only the package is the tarball.
readonly INSTALL='npm install queuescope @opentelemetry/api'
readonly SDK='@opentelemetry/sdk-node @opentelemetry/sdk-trace @opentelemetry/exporter-prometheus'
readonly INSTALL_SDK_2="npm install @opentelemetry/api@1.9 $SDK"
readonly INSTALL_SDK_3="npm install @opentelemetry/api $SDK"
in_order() { in_readme "$INSTALL" && in_readme "$INSTALL_SDK_2" && in_readme "$INSTALL_SDK_3"; }
new_project() {
  mkdir "$1"
  cp "$CONSUMER"/*.* "$1"
  cd "$1"
  ${INSTALL/queuescope/"$tarball"}
}
with_sdk_3() {
  use_node 24
  new_project "$TEMP/project-3"
  $INSTALL_SDK_3
  node sdk.mjs
}
check "the README has these commands" in_order

dev_version() { node -p "require('$ROOT/package.json').devDependencies['$1']"; }
optional_peers=$(node -p '
  const { peerDependenciesMeta, devDependencies } = require("./package.json");
  Object.keys(peerDependenciesMeta).map((name) => `${name}@${devDependencies[name]}`).join(" ")')

new_project "$TEMP/project"
check "only the API of OpenTelemetry comes along" without_sdk
check "the command works" npx --no-install queuescope tree --help
check "works from ESM" node main.mjs
check "works from require" node main.cjs
check "the conformance suite works with node:test" node --test testing.mjs
check "says what is missing when the SDK is not there" node sdk-missing.mjs
check "says what is missing when the pool of threads is not there" node threads-missing.mjs
npm install "typescript@$(dev_version typescript)" "@types/node@$(dev_version @types/node)"
check "types fit strict TypeScript" tsc tsconfig.json
npm install --prefix "$TEMP/typescript-5" typescript@5.9
check "types fit module commonjs with resolution node10" old_tsc tsconfig.node10.json
check "types fit module node16 from CommonJS" old_tsc tsconfig.node16.json
check "works under ts-jest" jest
check "works on Bun, and says what it can't do there" bun
check "works on Deno, and says what it can't do there" deno

check "the SDK can be installed after that, on Node 20" $INSTALL_SDK_2
check "the SDK's entry works with what npm picks" node sdk.mjs
check "the same on Node 24, with the SDK's line 3.x" with_sdk_3
npm install $optional_peers
check "the SDK's entry works from ESM" node sdk.mjs
check "the SDK's entry works from require" node sdk.cjs
check "the types of the SDK's entry and of the threads' fit strict TypeScript" tsc tsconfig.sdk.json
check "work in threads, from ESM" node threads.mjs
check "work in threads, from require" node threads.cjs
