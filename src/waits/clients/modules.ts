import Module from "node:module";
import { realClearTimeout, realNow, realSetTimeout } from "../../base/real-time.js";

/** A file of a client's, and what to do to what it exports. Returns the ways back. */
export interface Patch {
  /** How the path of the file ends, with `/` between its parts. */
  readonly file: string;
  apply(exported: unknown): readonly ((() => void) | undefined)[];
}

/** At most so often it is looked through which modules are loaded, in milliseconds. */
const PAUSE_MS = 500;

/**
 * Patches clients that don't publish what they are asked for: each copy that is loaded as CommonJS, also by `import`. In a bundle there is
 * none: then what is written to the connection must do.
 */
export class PatchedModules {
  private readonly done = new WeakSet<object>();
  private readonly restores: (() => void)[] = [];
  private lookedAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly patches: readonly Patch[]) {}

  /** Something may have been loaded since: looks now, or soon. */
  readonly look = (): void => {
    const waitMs = this.lookedAt + PAUSE_MS - realNow();
    if (waitMs <= 0) this.lookNow();
    else this.timer ??= realSetTimeout(() => this.lookNow(), waitMs).unref();
  };

  restore(): void {
    if (this.timer !== undefined) realClearTimeout(this.timer);
    for (const restore of this.restores.splice(0).reverse()) restore();
  }

  private lookNow(): void {
    this.timer = undefined;
    this.lookedAt = realNow();
    const { _cache: cache } = Module as unknown as { _cache?: Record<string, NodeModule | undefined> };
    if (cache === undefined) return;
    for (const file of Object.keys(cache)) {
      if (!file.includes("node_modules")) continue;
      const path = file.replaceAll("\\", "/");
      const patch = this.patches.find((each) => path.endsWith(each.file));
      if (patch !== undefined) this.apply(patch, cache[file]);
    }
  }

  private apply(patch: Patch, loaded: NodeModule | undefined): void {
    if (loaded === undefined || !loaded.loaded || this.done.has(loaded)) return;
    this.done.add(loaded);
    try {
      for (const restore of patch.apply(loaded.exports))
        if (restore !== undefined) this.restores.push(restore);
    } catch {
      // Another version may have another form: its waits stay unknown.
    }
  }
}
