import Module from "node:module";

/** What a `load` hook gives back. */
export interface Loaded {
  readonly format?: string | null | undefined;
  readonly source?: string | Uint8Array | ArrayBuffer | null | undefined;
}

export type LoadHook = (
  url: string,
  context: object,
  next: (url: string, context: object) => Loaded,
) => Loaded;

type Compile = (this: unknown, code: unknown, path: unknown, format?: unknown, ...rest: unknown[]) => unknown;

/** What only some versions of Node have: the types are those of the oldest. */
interface NewerModule {
  /** From Node 22.15 and 23.5 on. */
  registerHooks?: (hooks: { load: LoadHook }) => { deregister(): void };
  register: (specifier: string | URL, ...rest: unknown[]) => unknown;
  stripTypeScriptTypes?: (
    code: string,
    options: { mode: "strip" | "transform"; sourceMap?: boolean; sourceUrl: string },
  ) => string;
  prototype: { _compile: Compile };
  syncBuiltinESMExports(): void;
}

export const nodeModule = Module as unknown as NewerModule;
