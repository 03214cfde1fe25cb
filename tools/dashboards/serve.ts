import { existsSync, readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, extname, join } from "node:path";
import { build } from "esbuild";
import { fasterPromql, TIMES_FASTER } from "../../test/live/faster.js";

const PAGE = join(import.meta.dirname, "page");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
};

export interface Served {
  /** Of Prometheus. */
  readonly address: string;
  /** The folder of the dashboards' JSON. */
  readonly dashboards: string;
  /**
   * Where time went by faster in Prometheus: until when, in seconds of unix time, and how often it was read, in milliseconds. The page is
   * told of it as if everything had taken as long as it should.
   */
  readonly faster?: { readonly to: number; readonly scrapeMs: number };
}

/** Bundles the page, and serves it with the dashboards and with what Prometheus answers, on a free port of the loopback interface. */
export async function serve(served: Served): Promise<{ url: string; close(): void }> {
  const files = await bundled();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, "http://localhost");
    answer(pathname, searchParams).then(
      ([type, body, status]) => send(response, type, body, status),
      // As Prometheus tells of errors.
      (error: Error) =>
        send(response, "application/json", JSON.stringify({ status: "error", error: error.message }), 500),
    );
  });

  async function answer(path: string, query: URLSearchParams): Promise<[string, string, number?]> {
    if (path.startsWith("/api/v1/")) return ["application/json", await asked(served, path, query)];
    if (path.startsWith("/dashboards/")) {
      const file = join(served.dashboards, basename(path));
      return existsSync(file)
        ? ["application/json", readFileSync(file, "utf8")]
        : ["text/plain", `there is no ${file}`, 404];
    }
    const name = path === "/" ? "index.html" : basename(path);
    const text = files.get(name);
    return text === undefined
      ? ["text/plain", `there is no ${name}`, 404]
      : [TYPES[extname(name)] ?? "text/plain", text];
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

function send(response: ServerResponse, type: string, body: string, status = 200): void {
  response.writeHead(status, { "content-type": type }).end(body);
}

async function bundled(): Promise<Map<string, string>> {
  const { outputFiles } = await build({
    entryPoints: [join(PAGE, "main.tsx")],
    outdir: PAGE,
    bundle: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"', global: "window" },
    loader: { ".svg": "dataurl", ".png": "dataurl", ".woff2": "dataurl", ".ttf": "dataurl" },
    logLevel: "warning",
  });
  const files = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  return files.set("index.html", readFileSync(join(PAGE, "index.html"), "utf8"));
}

interface Answer {
  readonly data?: { readonly resultType: string; readonly result: { values?: [number, string][] }[] };
}

/** What Prometheus says to a query, at the page's pace. */
async function asked({ address, faster }: Served, path: string, query: URLSearchParams): Promise<string> {
  const own = new URLSearchParams(query);
  if (faster !== undefined) {
    own.set("query", fasterPromql(query.get("query")!, faster.scrapeMs));
    for (const name of ["start", "end"]) {
      const time = query.get(name);
      if (time !== null) own.set(name, `${faster.to - (faster.to - Number(time)) / TIMES_FASTER}`);
    }
    const step = query.get("step");
    if (step !== null) own.set("step", `${Number(step) / TIMES_FASTER}`);
  }
  const response = await fetch(`http://${address}${path}`, { method: "POST", body: own });
  const body = await response.text();
  if (faster === undefined || !path.endsWith("query_range")) return body;
  const answer = JSON.parse(body) as Answer;
  for (const { values } of answer.data?.result ?? []) {
    for (const sample of values!) {
      sample[0] = Math.round(faster.to - (faster.to - sample[0]) * TIMES_FASTER);
    }
  }
  return JSON.stringify(answer);
}
