import { fileURLToPath, pathToFileURL } from "node:url";
import { errorLine } from "../base/error-text.js";
import { isSelected } from "./selection.js";
import type { Settings } from "./settings.js";
import type { SourceKind } from "./transform/parse.js";
import { transform } from "./transform/transform.js";

/** Tells that a file is left alone; each file is told once. */
export type Tell = (sentence: string) => void;

/** Transforms what is loaded. It never throws: a file that it can't handle stays as it is. */
export class Transformer {
  private readonly told = new Set<string>();

  constructor(
    private readonly settings: Settings,
    private readonly tell: Tell,
  ) {}

  /** The code of a module, by its URL; undefined where nothing changes. */
  module(url: string, code: string | Uint8Array | ArrayBuffer, kind: SourceKind): string | undefined {
    const path = pathOf(url);
    return path === undefined ? undefined : this.run(path, url, text(code), kind);
  }

  /** Whether the module is the user's own, or of a package that they named. */
  isSelected(url: string): boolean {
    const path = pathOf(url);
    return path !== undefined && isSelected(path, this.settings.packages);
  }

  /** What `require` compiles, by its path. */
  required(path: string, code: string, kind: SourceKind): string | undefined {
    try {
      return this.run(path, pathToFileURL(path).href, code, kind);
    } catch {
      // It isn't the path of a file.
      return undefined;
    }
  }

  private run(path: string, url: string, code: string, kind: SourceKind): string | undefined {
    const { packages, wantsMaps } = this.settings;
    try {
      if (!isSelected(path, packages)) return undefined;
      return transform({ code, url, path, kind, wantsMap: wantsMaps || process.sourceMapsEnabled === true });
    } catch (error) {
      if (!this.told.has(path)) {
        this.told.add(path);
        this.tell(
          `queuescope/frames: ${path} is left alone, so its async functions won't be in reports: ${errorLine(error)}`,
        );
      }
      return undefined;
    }
  }
}

/** Undefined for what is no file. */
function pathOf(url: string): string | undefined {
  try {
    return url.startsWith("file:") ? fileURLToPath(url.replace(/[?#].*$/s, "")) : undefined;
  } catch {
    return undefined;
  }
}

function text(code: string | Uint8Array | ArrayBuffer): string {
  return typeof code === "string" ? code : new TextDecoder().decode(code);
}
