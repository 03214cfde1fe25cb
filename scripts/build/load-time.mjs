/** How rolldown writes imports of names, and of a default, which is the module; others are left as they are. */
const IMPORT = /^import (?:\{ ([^}]*) \}|([\w$]+)) from "(node:[^"]+)";$/gm;

/**
 * Takes what modules want of Node's own by `process.getBuiltinModule`. An `import` makes a namespace, for which Node asks every export
 * of the builtin for its value, and so loads what stands behind the lazy ones: streams and workers, and of `node:http` even fetch. That was
 * a fourth of the time that the main entry took to load, and half of that of `queuescope/sdk` (Node 24).
 */
export const lazyBuiltins = {
  name: "lazy-builtins",
  renderChunk(code) {
    return code.replaceAll(IMPORT, (_, names, all, module) => {
      const wanted = all ?? `{ ${names.replaceAll(" as ", ": ")} }`;
      return `const ${wanted} = process.getBuiltinModule("${module}");`;
    });
  },
};

/**
 * Writes what is beyond ASCII as `\u2026`, which means the same in strings, templates and regular expressions. Of a file with a single such
 * character Node decodes every byte, and V8 keeps the whole source with two bytes for each character: 0.4 MB more on the heap.
 */
export const asciiOnly = {
  name: "ascii-only",
  // After all else: what comes before it writes strings as it likes.
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === "chunk") chunk.code = chunk.code.replace(/[^\0-\x7f]/g, escaped);
    }
  },
};

function escaped(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
