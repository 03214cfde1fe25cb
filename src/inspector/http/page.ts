import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { installedRoot, packageRoot } from "../../base/package-root.js";
import { SCOPE } from "../../telemetry/version.js";

/** What the page may do: load what is here, and ask what is here. No inline script, no other host, no frame around it. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
}

/** A file of the page, by its path below where the view is mounted; undefined if there is none. Only what lies in the folder itself can be had. */
export async function pageFile(path: string): Promise<PageFile | undefined> {
  const name = path === "" ? "index.html" : path;
  const type = TYPES[extname(name)];
  const root = packageRoot() ?? installedRoot(SCOPE.version);
  if (type === undefined || root === undefined) return undefined;
  const folder = join(root, "dist", "page");
  try {
    const names = await readdir(folder);
    if (!names.includes(name)) return undefined;
    return { type, content: await readFile(join(folder, name)) };
  } catch {
    return undefined;
  }
}
