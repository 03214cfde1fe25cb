import { warnThat } from "../base/warning.js";
import { isPackageName } from "./selection.js";

/** Which files are transformed, and how. */
export interface Settings {
  /** Installed packages whose async functions are to be known as well. */
  readonly packages: readonly string[];
  /** Whether files get source maps, for stack traces and coverage. */
  readonly wantsMaps: boolean;
}

const VARIABLE = "QUEUESCOPE_FRAMES_PACKAGES";

/** From the environment: a preload has no other options. What is wrong there is told, and ignored. */
export function settingsFrom(env: NodeJS.ProcessEnv): Settings {
  const names = (env[VARIABLE] ?? "").split(/[\s,]+/).filter((name) => name !== "");
  const packages = names.filter(isPackageName);
  const wrong = names.filter((name) => !isPackageName(name));
  if (wrong.length > 0) {
    warnThat(
      `queuescope/frames: ${VARIABLE} has "${wrong[0]}", which is ignored: allowed are names of packages, as bullmq, @acme/orders or @acme/*, with commas between them`,
    );
  }
  return { packages, wantsMaps: env.NODE_V8_COVERAGE !== undefined || process.sourceMapsEnabled === true };
}
