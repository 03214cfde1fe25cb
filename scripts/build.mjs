/**
 * Builds `dist` from `src`, unless it is up to date.
 *
 *     node scripts/build.mjs [--fresh]     --fresh: builds in any case, and leaves nothing in `dist` that is not of this build: for packing
 *
 * Every script of package.json that needs `dist` begins with this one, so several may run at once: the second waits, and then finds
 * everything done. `dist` always is one that works: new files are made aside and moved in one by one, entries last.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./build/bundle.mjs";
import { fingerprint, isUpToDate, lastBuild, stamp } from "./build/fingerprint.mjs";
import { withLock } from "./build/lock.mjs";
import { DIST, ROOT } from "./build/paths.mjs";
import { putInPlace } from "./build/put-in-place.mjs";

const { values } = parseArgs({ options: { fresh: { type: "boolean", default: false } } });

// Not in the system's temporary folder: moving a file is atomic only within one file system.
const ASIDE = join(ROOT, ".build");

if (values.fresh || !isUpToDate(DIST, fingerprint(ROOT))) {
  mkdirSync(ASIDE, { recursive: true });
  await withLock(join(ASIDE, "lock"), async () => {
    // What had the lock may have built just this.
    const print = fingerprint(ROOT);
    if (!values.fresh && isUpToDate(DIST, print)) return;
    const folder = mkdtempSync(join(ASIDE, "dist-"));
    try {
      await bundle(folder);
      stamp(folder, print);
      putInPlace(folder, DIST, values.fresh ? [] : lastBuild(DIST).names);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
