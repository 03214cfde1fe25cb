import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { checkKnown, checkObject, type OptionNames } from "../base/checks.js";
import { errorLine } from "../base/error-text.js";
import { InvalidOptionTypeError } from "../base/errors.js";
import { packageRoot } from "../base/package-root.js";
import { isPackageName, isSelected } from "./selection.js";
import { transform } from "./transform/transform.js";

/** What {@link frames} can be told. */
export interface FramesOptions {
  /** Installed packages whose async functions are to be known as well: `["bullmq", "@acme/*"]`. Default: none. */
  readonly packages?: readonly string[] | undefined;
}

const NAMES: OptionNames<FramesOptions> = { packages: true };

/** What is taken of esbuild: nothing of it is imported. */
interface BuildOptions {
  absWorkingDir?: string | undefined;
  inject?: string[] | undefined;
  loader?: Record<string, string> | undefined;
}
interface Message {
  readonly text: string;
  readonly location: { readonly file: string };
}
interface OnLoadResult {
  contents?: string;
  loader?: "js";
  warnings?: Message[];
}
interface PluginBuild {
  readonly initialOptions: BuildOptions;
  readonly esbuild: {
    build(
      options: object,
    ): Promise<{ readonly outputFiles?: readonly { readonly text: string }[] | undefined }>;
  };
  onLoad(
    options: { filter: RegExp; namespace: string },
    callback: (args: { readonly path: string }) => Promise<OnLoadResult | undefined>,
  ): void;
}

/** The same with its own settings for how a file is read. */
const SYNTAX = [
  "absWorkingDir",
  "jsx",
  "jsxDev",
  "jsxFactory",
  "jsxFragment",
  "jsxImportSource",
  "jsxSideEffects",
  "loader",
  "platform",
  "tsconfig",
  "tsconfigRaw",
];

/**
 * A plugin of esbuild: in the bundle async functions have what `node --import queuescope/frames` gives to those that Node loads. Other plugins that load
 * the same files must come later, for esbuild asks only the first one. Files are called by their path from the working directory. A file that it can't
 * handle is left alone, with a warning. Throws `InvalidOptionTypeError` for a bad option.
 *
 * @example
 * import { build } from "esbuild";
 * import { frames } from "queuescope/frames-esbuild";
 *
 * await build({ entryPoints: ["app.ts"], bundle: true, platform: "node", outfile: "app.cjs", plugins: [frames()] });
 */
export function frames(options: FramesOptions = {}): { name: string; setup(build: PluginBuild): void } {
  checkObject("options", options);
  checkKnown(options, NAMES);
  const packages = checkPackages(options.packages);
  return {
    name: "queuescope-frames",
    setup({ initialOptions, esbuild, onLoad }) {
      const folder = resolve(initialOptions.absWorkingDir ?? process.cwd());
      initialOptions.inject = [...(initialOptions.inject ?? []), runtimeFile()];
      onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, async ({ path }) => {
        if (!isSelected(path, packages)) return undefined;
        const name = relative(folder, path);
        try {
          const code = isScript(path, initialOptions)
            ? await readFile(path, "utf8")
            : await asScript(path, esbuild, initialOptions);
          if (code === undefined) return undefined;
          const kind = path.endsWith(".cjs") ? "commonjs" : "module";
          const url = pathToFileURL(path).href;
          const contents = transform({ code, url, path, kind, nameOf: () => name, wantsMap: true });
          return contents === undefined ? undefined : { contents, loader: "js" };
        } catch (error) {
          const text = `its async functions won't be in reports: ${errorLine(error)}`;
          return { warnings: [{ text, location: { file: name } }] };
        }
      });
    },
  };
}

function checkPackages(packages: unknown): readonly string[] {
  if (packages === undefined) return [];
  if (!Array.isArray(packages) || !packages.every(isPackageName)) {
    throw new InvalidOptionTypeError(
      "packages",
      packages,
      'an array of names of packages, such as "bullmq" or "@acme/*"',
    );
  }
  return packages;
}

function runtimeFile(): string {
  const root = packageRoot();
  if (root === undefined)
    throw new Error(
      "queuescope/frames-esbuild must not be bundled itself: its runtime is a file of the package",
    );
  return join(root, "dist", "frames-runtime.js");
}

/** Whether it is JavaScript without JSX, as far as the build's options say. */
function isScript(path: string, { loader }: BuildOptions): boolean {
  const extension = extname(path);
  const kind = loader?.[extension];
  return kind === undefined ? /^\.[cm]?js$/.test(extension) : kind === "js";
}

/** What esbuild makes of it by itself, with its source map; undefined where it fails: then the build says why. */
async function asScript(
  path: string,
  esbuild: PluginBuild["esbuild"],
  options: BuildOptions,
): Promise<string | undefined> {
  const syntax = Object.fromEntries(Object.entries(options).filter(([name]) => SYNTAX.includes(name)));
  try {
    const { outputFiles } = await esbuild.build({
      ...syntax,
      entryPoints: [path],
      // The map's source is relative to this.
      outdir: dirname(path),
      outbase: dirname(path),
      entryNames: basename(path, extname(path)),
      bundle: false,
      write: false,
      sourcemap: "inline",
      target: "esnext",
      supported: { decorators: false },
      charset: "utf8",
      logLevel: "silent",
    });
    return outputFiles?.[0]?.text;
  } catch {
    return undefined;
  }
}
