import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isMainThread, MessageChannel } from "node:worker_threads";
import { packageRoot } from "../base/package-root.js";
import { warnThat } from "../base/warning.js";
import { type Loaded, nodeModule } from "./node-module.js";
import { settingsFrom } from "./settings.js";
import { Transformer } from "./transformer.js";
import { isTypeScript, stripped } from "./typescript.js";

/** From now on what is loaded is transformed, by `import` and by `require`. */
export function hookIntoLoading(): void {
  if (isLoadersThread()) return;
  const settings = settingsFrom(process.env);
  const transformer = new Transformer(settings, warnThat);
  hookRequire(transformer);
  if (nodeModule.registerHooks !== undefined) hookImports(transformer, nodeModule.registerHooks);
  else hookImportsInThread(settings);
}

/** Preloads run in the thread of Node's own in which hooks run, too: it has no program. */
function isLoadersThread(): boolean {
  return !isMainThread && process.argv[1] === undefined;
}

/** All CommonJS comes by here, after whatever else makes JavaScript of it. */
function hookRequire(transformer: Transformer): void {
  const { prototype } = nodeModule;
  const compile = prototype._compile;
  prototype._compile = function (code, path, format, ...rest) {
    const changed =
      typeof code === "string" && typeof path === "string"
        ? compiled(transformer, code, path, format)
        : undefined;
    if (changed === undefined) return Reflect.apply(compile, this, [code, path, format, ...rest]);
    return Reflect.apply(compile, this, [changed.code, path, changed.format, ...rest]);
  };
}

function compiled(
  transformer: Transformer,
  code: string,
  path: string,
  format: unknown,
): { code: string; format: unknown } | undefined {
  const plain = isTypeScript(format) ? stripped(code, format, path) : { code, format };
  if (plain === undefined) return undefined;
  const kind = plain.format === "module" ? "module" : "commonjs";
  const changed = transformer.required(path, plain.code, kind);
  return changed === undefined ? undefined : { code: changed, format: plain.format };
}

/** The hook that was registered last sees what all others have made: so it is registered again after each of them. */
function hookImports(transformer: Transformer, register: NonNullable<typeof nodeModule.registerHooks>): void {
  const hooks = {
    load(url: string, context: object, next: (url: string, context: object) => Loaded): Loaded {
      const loaded = next(url, context);
      return { ...loaded, ...loadedModule(transformer, url, loaded) };
    },
  };
  let registered = register(hooks);
  nodeModule.registerHooks = (others) => {
    const result = register(others);
    registered.deregister();
    registered = register(hooks);
    return result;
  };
  nodeModule.syncBuiltinESMExports();
}

/** CommonJS that is imported is compiled as that which is required. */
function loadedModule(transformer: Transformer, url: string, { format, source }: Loaded): Loaded | undefined {
  if (source === undefined || source === null) return undefined;
  if (format === "module") {
    const changed = transformer.module(url, source, "module");
    return changed === undefined ? undefined : { source: changed };
  }
  if (format !== "module-typescript" || !transformer.isSelected(url)) return undefined;
  const plain = stripped(typeof source === "string" ? source : new TextDecoder().decode(source), format, url);
  const changed = plain === undefined ? undefined : transformer.module(url, plain.code, "module");
  return changed === undefined ? undefined : { format: "module", source: changed };
}

/** Node 20: imports are loaded in a thread, by a file of its own, which is registered again after each other one. */
function hookImportsInThread(settings: ReturnType<typeof settingsFrom>): void {
  const root = packageRoot();
  // Without its folder, in a bundle, only what is required is transformed.
  if (root === undefined) return;
  const thread = pathToFileURL(join(root, "dist", "frames-thread.js"));
  const { register } = nodeModule;
  const registerOurs = () => {
    const { port1, port2 } = new MessageChannel();
    port1.on("message", warnThat);
    port1.unref();
    register(thread, { data: { ...settings, port: port2 }, transferList: [port2] });
  };
  registerOurs();
  nodeModule.register = (...args) => {
    const result = register(...args);
    registerOurs();
    return result;
  };
  nodeModule.syncBuiltinESMExports();
}
