import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { allowsHost, bracketed } from "../base/allowed-host.js";
import { PortInUseError } from "../base/errors.js";
import { checkMayListen } from "../base/may-listen.js";
import { Door } from "./http/door.js";
import { useHub } from "./hub/shared.js";
import { Actions } from "./local/actions.js";
import { LocalView } from "./local/local-view.js";
import {
  type HandlerSettings,
  type InspectorHandlerOptions,
  readHandlerOptions,
  readServeOptions,
  type ServeInspectorOptions,
} from "./options.js";
import { CombinedView } from "./remote/combined-view.js";
import type { View } from "./view.js";

const MAX_CONNECTIONS = 128;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 30_000;

/** The live view over HTTP, as a handler for a server that is there. */
export interface InspectorHandler {
  /** Answers a request; `next` is called for what is not below `basePath`. Never rejects. */
  (request: IncomingMessage, response: ServerResponse, next?: () => void): Promise<void>;
  /** Ends it: all that look are told, and nothing is kept any more. Can be called again. */
  close(): Promise<void>;
}

/** The live view over HTTP, served on a port. */
export interface InspectorServer {
  /** Where the page is. */
  readonly url: string;
  /** Ends it. Can be called again. */
  close(): Promise<void>;
}

/**
 * The live view, its page and its protocol, as a handler for a server that is there: Express, Fastify, `node:http`. Without `auth` it answers only requests
 * that name this machine as their host. Throws an `InvalidOption…Error` for a bad option.
 *
 * @example
 * import { createServer } from "node:http";
 * import { inspectorHandler } from "queuescope/inspect";
 *
 * const queues = inspectorHandler({ basePath: "/queues" });
 * const server = createServer((request, response) => queues(request, response, () => response.end("mine")));
 * await queues.close();
 */
export function inspectorHandler(options?: InspectorHandlerOptions): InspectorHandler {
  const settings = readHandlerOptions(options);
  const check = settings.auth === undefined ? allowsHost("127.0.0.1", "127.0.0.1") : () => true;
  return handlerFor(settings, check);
}

/**
 * Serves the live view on a port: the page at `/`, its protocol below `/api/v1`. On this machine only, unless `auth` says who is let in. It holds no process
 * alive. Rejects with an `InvalidOption…Error` for a bad option, with `PortInUseError`, or with the system's error.
 *
 * @example
 * import { serveInspector } from "queuescope/inspect";
 *
 * const inspector = await serveInspector({ port: 0 });
 * console.log(inspector.url);
 * await inspector.close();
 */
export async function serveInspector(options?: ServeInspectorOptions): Promise<InspectorServer> {
  const { host, port, ...settings } = readServeOptions(options);
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_TIMEOUT_MS;
  server.on("connection", (socket) => socket.unref());
  await listen(server, host, port);
  server.unref();
  const bound = server.address() as AddressInfo;
  const check = settings.auth === undefined ? allowsHost(host, bound.address) : () => true;
  const handler = handlerFor({ ...settings, basePath: "" }, check);
  server.on("request", (request, response) => void handler(request, response));
  let closing: Promise<void> | undefined;
  return {
    url: `http://${bracketed(host)}:${bound.port}/`,
    close: () => {
      closing ??= close(server, handler);
      return closing;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  checkMayListen("serveInspector");
  await new Promise<void>((resolve, reject) => {
    // For good: what goes wrong later must not end the process.
    server.on("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "EADDRINUSE" ? new PortInUseError("port", host, port, { cause: error }) : error);
    });
    // Workers of node:cluster would share the port, and answer in turn for each other.
    server.listen({ host, port, exclusive: true }, resolve);
  });
}

async function close(server: Server, handler: InspectorHandler): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  await handler.close();
  server.closeAllConnections();
  await closed;
}

function handlerFor(settings: HandlerSettings, check: (authority: string) => boolean): InspectorHandler {
  const { name, payload, redact, actions, auth, traceUrl, maxClients, basePath } = settings;
  const ends: (() => void)[] = [];
  const { hub, release } = useHub(name);
  ends.push(release);
  if (redact !== undefined) ends.push(hub.addRedactor(redact));
  const own = new LocalView(hub, payload, actions === undefined ? undefined : new Actions(hub));
  let view: View = own;
  if (settings.processes === "all") {
    const all = new CombinedView([own]);
    ends.push(() => all.close());
    view = all;
  }
  const door = new Door(view, {
    basePath,
    allowsHost: check,
    auth,
    actions,
    traceUrl,
    maxClients,
    hasPage: true,
  });
  let isOver = false;
  const handler = (request: IncomingMessage, response: ServerResponse, next?: () => void) =>
    door.answer(request, response, next);
  return Object.assign(handler, {
    async close() {
      if (isOver) return;
      isOver = true;
      door.close("the live view is closed");
      for (const end of ends) end();
    },
  });
}
