import { get } from "node:http";
import type { ProcessFacts } from "./process-facts.js";

/** Where Node opens an inspector that nothing else is said of. */
const DEFAULT_PORT = 9229;
/** How long it may take to say what it is, in milliseconds: a thread of its own answers, also while the event loop is blocked. */
const ANSWER_MS = 2_000;
const MAX_ANSWER = 100_000;

/** An inspector that is open. */
export interface OpenInspector {
  readonly port: number;
  readonly url: URL;
}

/** The port that the process would open its inspector at, by its options. 0: any. */
export function inspectPort({ commandLine, nodeOptions }: ProcessFacts): number {
  let port = DEFAULT_PORT;
  // The last one counts.
  for (const option of [...(nodeOptions?.split(/\s+/) ?? []), ...commandLine]) {
    const value = /^--(?:inspect|debug)(?:-port|-brk|-wait|-brk-node)?=(.*)$/.exec(option)?.[1];
    const digits = value === undefined ? undefined : /(?:^|:)(\d+)$/.exec(value)?.[1];
    if (digits !== undefined) port = Number(digits);
  }
  return port;
}

/** Whether it was told to open an inspector when it begins. */
export function beganWithInspector({ commandLine, nodeOptions }: ProcessFacts): boolean {
  return [...commandLine, nodeOptions ?? ""].some((each) =>
    /(^|\s)--inspect(-brk|-wait)?(=|\s|$)/.test(each),
  );
}

/** The inspector at that address; undefined where there is none, or something else listens there. */
export async function inspectorAt(host: string, port: number): Promise<OpenInspector | undefined> {
  const address = loopback(host);
  try {
    const targets: unknown = JSON.parse(await read(address, port, "/json/list"));
    if (!Array.isArray(targets)) return undefined;
    const url: unknown = targets[0]?.webSocketDebuggerUrl;
    if (typeof url !== "string" || targets[0].type !== "node") return undefined;
    const path = new URL(url).pathname;
    return { port, url: new URL(`ws://${address.includes(":") ? `[${address}]` : address}:${port}${path}`) };
  } catch {
    return undefined;
  }
}

/** One that listens everywhere can be had here, too. */
function loopback(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return /^[0:]+$/.test(host) ? "::1" : host;
}

function read(host: string, port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path, agent: false, timeout: ANSWER_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        text += piece;
        if (text.length > MAX_ANSWER) request.destroy(new Error("too long an answer"));
      });
      response.on("end", () => {
        resolve(text);
        request.destroy();
      });
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", reject);
  });
}
