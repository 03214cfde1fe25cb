import type { Called } from "./coverage.js";

/** A way, file by file in the order in which it comes to them. */
export interface Walk {
  readonly files: readonly {
    readonly file: string;
    readonly functions: readonly { readonly name: string; readonly calls: number }[];
  }[];
  readonly functions: number;
  readonly calls: number;
}

export function walkOf(called: readonly Called[]): Walk {
  const files = [...new Set(called.map(({ file }) => file))];
  return {
    files: files.map((file) => ({
      file,
      functions: called.filter((each) => each.file === file).map(({ name, calls }) => ({ name, calls })),
    })),
    functions: called.length,
    calls: called.reduce((sum, { calls }) => sum + calls, 0),
  };
}
