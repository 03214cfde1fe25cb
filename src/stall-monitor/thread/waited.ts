import type * as Fs from "node:fs";

/**
 * How long main's thread has been ready to run in all, and had no processor, in milliseconds. Known on Linux; elsewhere, and where the file
 * may not be read, it is 0.
 *
 * Runs in the thread: its source is sent there, so it refers to nothing outside.
 */
export function makeWaited(fs: typeof Fs, pid: number): () => number {
  const file = `/proc/${pid}/task/${pid}/schedstat`;
  let isKnown = true;
  return () => {
    if (!isKnown) return 0;
    try {
      return Number(fs.readFileSync(file, "latin1").split(" ")[1]) / 1e6 || 0;
    } catch {
      isKnown = false;
      return 0;
    }
  };
}
