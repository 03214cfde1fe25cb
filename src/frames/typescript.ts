import { nodeModule } from "./node-module.js";

/** The formats that Node strips of their types, and what is left. */
const STRIPPED: Record<string, "module" | "commonjs" | undefined> = {
  "module-typescript": "module",
  "commonjs-typescript": "commonjs",
  typescript: undefined,
};

export function isTypeScript(format: unknown): format is string {
  return typeof format === "string" && format in STRIPPED;
}

/** What Node itself would run, and its format; undefined where it can't be had: then Node shall say why. */
export function stripped(
  code: string,
  format: string,
  url: string,
): { code: string; format: "module" | "commonjs" | undefined } | undefined {
  const strip = nodeModule.stripTypeScriptTypes;
  if (strip === undefined) return undefined;
  const { emitWarning } = process;
  try {
    // The function warns of itself; types are stripped here in any case.
    process.emitWarning = () => {};
    const isTransform = (process.features as { typescript?: unknown }).typescript === "transform";
    const options = isTransform
      ? ({ mode: "transform", sourceMap: true } as const)
      : ({ mode: "strip" } as const);
    return { code: strip(code, { ...options, sourceUrl: url }), format: STRIPPED[format] };
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
