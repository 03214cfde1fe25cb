import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as esbuild } from "esbuild";
import { rolldown } from "rolldown";
import type { Plugin } from "rollup";
import webpack from "webpack";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What stays outside of a bundle, as users tell their bundler: packages and their subpaths. */
export interface Job {
  /** The file of the app. */
  readonly app: string;
  readonly external: readonly string[];
  /** The file to write, with an extension that Node takes for the form. */
  readonly to: string;
}

export type Bundle = (job: Job) => Promise<void>;

const subpaths = (external: readonly string[]) => external.flatMap((name) => [name, `${name}/*`]);
const matches = (external: readonly string[], id: string) =>
  external.some((name) => id === name || id.startsWith(`${name}/`));

function byEsbuild(format: "esm" | "cjs", minify = false): Bundle {
  return async ({ app, external, to }) => {
    await esbuild({
      entryPoints: [app],
      bundle: true,
      platform: "node",
      target: "node20",
      format,
      minify,
      outfile: to,
      external: subpaths(external),
      logLevel: "error",
    });
  };
}

function byRolldown(format: "es" | "cjs"): Bundle {
  return async ({ app, external, to }) => {
    const build = await rolldown({
      input: app,
      platform: "node",
      external: (id) => matches(external, id),
      logLevel: "silent",
    });
    await build.write({ file: to, format });
    await build.close();
  };
}

/** Of the app it gets JavaScript, because it takes no TypeScript. */
function byRollup(format: "es" | "cjs"): Bundle {
  return async ({ app, external, to }) => {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const { default: commonjs } = await import("@rollup/plugin-commonjs");
    const build = await rollup({
      input: await plain(app, to),
      plugins: [nodeResolve({ preferBuiltins: true }), (commonjs as unknown as () => Plugin)()],
      external: (id) => matches(external, id),
      onwarn: () => {},
    });
    await build.write({ file: to, format });
    await build.close();
  };
}

function byWebpack(format: "module" | "commonjs"): Bundle {
  return async ({ app, external, to }) => {
    const entry = await plain(app, to);
    await new Promise<void>((resolve, reject) => {
      webpack(
        {
          mode: "production",
          target: "node20",
          entry,
          experiments: { outputModule: format === "module" },
          output: {
            path: dirname(to),
            filename: to.slice(dirname(to).length + 1),
            module: format === "module",
            library: { type: format === "module" ? "module" : "commonjs2" },
          },
          externals: [
            ({ request }, done) => {
              if (matches(external, request ?? "")) {
                done(undefined, format === "module" ? `module ${request}` : `commonjs ${request}`);
              } else done();
            },
          ],
        },
        (error, stats) => {
          if (error) reject(error);
          else if (stats?.hasErrors()) reject(new Error(stats.toString()));
          else resolve();
        },
      );
    });
  };
}

/** The app without types, beside the bundle that is to be made. */
async function plain(app: string, to: string): Promise<string> {
  const file = `${to}.input.mjs`;
  await esbuild({ entryPoints: [app], format: "esm", target: "node20", outfile: file, logLevel: "error" });
  return file;
}

export const BUNDLERS: Readonly<
  Record<string, { readonly bundle: Bundle; readonly extension: ".mjs" | ".cjs" }>
> = {
  "esbuild, ESM": { bundle: byEsbuild("esm"), extension: ".mjs" },
  "esbuild, ESM, minified": { bundle: byEsbuild("esm", true), extension: ".mjs" },
  "esbuild, CommonJS": { bundle: byEsbuild("cjs"), extension: ".cjs" },
  "esbuild, CommonJS, minified": { bundle: byEsbuild("cjs", true), extension: ".cjs" },
  "webpack, ESM": { bundle: byWebpack("module"), extension: ".mjs" },
  "webpack, CommonJS": { bundle: byWebpack("commonjs"), extension: ".cjs" },
  "rollup, ESM": { bundle: byRollup("es"), extension: ".mjs" },
  "rollup, CommonJS": { bundle: byRollup("cjs"), extension: ".cjs" },
  "rolldown, ESM": { bundle: byRolldown("es"), extension: ".mjs" },
  "rolldown, CommonJS": { bundle: byRolldown("cjs"), extension: ".cjs" },
};

/** The folder of an installed package. */
export function folderOf(name: string): string {
  const require = createRequire(import.meta.url);
  let folder = dirname(require.resolve(name));
  while (!folder.endsWith(join("node_modules", name))) folder = dirname(folder);
  return folder;
}
