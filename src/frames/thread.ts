import type { MessagePort } from "node:worker_threads";
import type { Loaded } from "./node-module.js";
import type { Settings } from "./settings.js";
import { Transformer } from "./transformer.js";

/** The hooks of Node 20, which run in a thread of its own. */
let transformer: Transformer | undefined;
/** It is registered more than once: what is being loaded by the last of them is left to that by the others. */
const loading = new Set<string>();

export function initialize({ port, ...settings }: Settings & { port: MessagePort }): void {
  port.unref();
  transformer = new Transformer(settings, (sentence) => port.postMessage(sentence));
}

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  if (loading.has(url)) return next(url, context);
  loading.add(url);
  try {
    const loaded = await next(url, context);
    const { format, source } = loaded;
    if (source === undefined || source === null || (format !== "module" && format !== "commonjs"))
      return loaded;
    const changed = transformer?.module(url, source, format);
    return changed === undefined ? loaded : { ...loaded, source: changed };
  } finally {
    loading.delete(url);
  }
}
