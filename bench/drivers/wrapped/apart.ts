import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The module once more, with source of its own: the type feedback of one contestant must not slow down another. */
export async function apart<M>(specifier: string, contestant: string): Promise<M> {
  return (await import(`${import.meta.resolve(specifier)}?${encodeURIComponent(contestant)}`)) as M;
}

/** The same of a CommonJS module, of which an import gives the cached one, whatever its query. */
export function requireApart<M>(specifier: string): M {
  const path = require.resolve(specifier);
  delete require.cache[path];
  return require(path) as M;
}
