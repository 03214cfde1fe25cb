# The recipes of docs/integrations.md, each in a project of its own with the package as users get it, the versions that it names, and real
# requests. Nothing leaves the machine but what npm installs. For some of them only: INTEGRATIONS="nest jest" .ci/run integrations
source .ci/stage.sh

readonly RECIPES=${INTEGRATIONS:-$(ls examples/integrations)}

recipe() {
  local name=$1 project=$TEMP/$1
  cp -r "$ROOT/examples/integrations/$name" "$project"
  cd "$project"
  npm pkg set "dependencies.queuescope=file:$tarball"
  npm install --prefer-offline
  # What a test that failed has left running doesn't hold it; the limit is for what never comes.
  node --test --test-force-exit --test-timeout=180000 "$ROOT/test/integrations/$name.check.mjs"
}

copy_tracked "$TEMP/package"
ln -s "$ROOT/node_modules" "$TEMP/package/node_modules"
(cd "$TEMP/package" && npm pack --pack-destination "$TEMP") # builds it, too
tarball=$(echo "$TEMP"/*.tgz)

# Two at a time; what each prints stays together.
lane() {
  local name
  while read -r name; do
    check "the recipe $name" recipe "$name" > "$TEMP/$name.log" 2>&1
    cat "$TEMP/$name.log"
  done
}
printf '%s\n' $RECIPES | sed -n 'p;n' | lane &
printf '%s\n' $RECIPES | sed -n 'n;p' | lane
wait
