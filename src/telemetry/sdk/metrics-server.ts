import cluster from "node:cluster";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { diag } from "@opentelemetry/api";
import { allowsHost, bracketed } from "../../base/allowed-host.js";
import { plainError } from "../../base/error-text.js";
import { PortInUseError } from "../../base/errors.js";
import { inTime } from "../../base/in-time.js";
import { contained } from "../../base/output.js";
import { CONTENT_TYPES, formatFor } from "../metrics/formats.js";
import { type Collectors, reply, Scrapes } from "../metrics/scrapes.js";

/** Whether a request may read the metrics. */
export type Authorize = (request: IncomingMessage) => boolean | PromiseLike<boolean>;

/** How long `authorize` may take, in milliseconds. */
const AUTHORIZE_LIMIT_MS = 5_000;
/** More than that scrape at a time only by mistake, or to do harm. */
const MAX_CONNECTIONS = 64;
/** After so many the connection is closed, and a new one has to be made. */
const MAX_REQUESTS_PER_SOCKET = 1_000;
/** How long the head of a request may take to arrive, and all of it, in milliseconds. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** How often Node looks whether they have passed. */
const CHECK_EVERY_MS = 1_000;
/** A connection by which nothing moves for so long, a reader that doesn't read say, is closed. */
const IDLE_TIMEOUT_MS = 30_000;

const RECIPE =
  "each process of node:cluster or PM2 has metrics of its own: give each a port of its own, such as " +
  "port: 9464 + cluster.worker.id (by PM2: + Number(process.env.NODE_APP_INSTANCE)), or let all send to one collector: " +
  "prometheus: false, otlp: { endpoint }";

/** Serves the scrape at `/metrics`, and holds neither the process nor, once closed, a connection. */
export class MetricsServer {
  private readonly scrapes: Scrapes;
  private readonly allows: (authority: string) => boolean;

  private constructor(
    private readonly server: Server,
    host: string,
    private readonly collectors: Collectors,
    private readonly authorize: Authorize | undefined,
  ) {
    const { address, port } = server.address() as AddressInfo;
    this.url = `http://${bracketed(host)}:${port}/metrics`;
    this.scrapes = new Scrapes(collectors);
    this.allows = allowsHost(host, address);
    server.on("request", (request, response) => void this.answer(request, response));
  }

  /** Where to scrape. */
  readonly url: string;

  /** Listens; a port of 0 is any free one. Rejects with {@link PortInUseError}, or with the system's error. */
  static async listen(
    host: string,
    port: number,
    collectors: Collectors,
    authorize?: Authorize | undefined,
  ): Promise<MetricsServer> {
    const server = createServer({
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
    server.timeout = IDLE_TIMEOUT_MS;
    server.on("connection", (socket) => socket.unref());
    await new Promise<void>((resolve, reject) => {
      // For good: what goes wrong later must not end the process.
      server.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "EADDRINUSE") return reject(error);
        const hint = isOneOfSeveral() ? RECIPE : undefined;
        reject(new PortInUseError("prometheus.port", host, port, { cause: error, hint }));
      });
      // Else workers of node:cluster would share the port, and answer in turn for each other.
      server.listen({ host, port, exclusive: true }, resolve);
    });
    server.unref();
    return new MetricsServer(server, host, collectors, authorize);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** Never rejects. */
  private async answer(request: IncomingMessage, response: ServerResponse<IncomingMessage>): Promise<void> {
    const target = targetOf(request.url ?? "");
    if (target === undefined) return reply(response, 400, "this is no path");
    const { path, authority } = target;
    // A browser always names the host; one of HTTP/1.0 who doesn't is none.
    const hosts = [request.headers.host, authority].filter((each) => each !== undefined);
    if (!hosts.every(this.allows))
      return reply(response, 403, "the metrics are not served by that host name");
    if (path !== "/metrics") return reply(response, 404, "metrics are served at /metrics");
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") {
      return reply(response, 405, "metrics are only read", { allow: "GET, HEAD" });
    }
    const refusal = await this.refusal(request);
    if (refusal === 401) return reply(response, 401, "not authorized", { "www-authenticate": "Bearer" });
    if (refusal !== undefined)
      return reply(response, refusal, "whether this is authorized could not be found out");
    const format = this.collectors.openmetrics === undefined ? "text" : formatFor(request.headers.accept);
    if (method === "GET") this.scrapes.answer(response, format);
    else response.writeHead(200, { "content-type": CONTENT_TYPES[format] }).end();
  }

  /** By which status the user's callback refuses the request, if it does. */
  private async refusal(request: IncomingMessage): Promise<401 | 500 | undefined> {
    if (this.authorize === undefined) return undefined;
    const { authorize } = this;
    try {
      const answer = inTime(AUTHORIZE_LIMIT_MS, (async () => authorize(request))());
      return (await answer) === true ? undefined : 401;
    } catch (error) {
      contained(() =>
        diag.error(
          "queuescope: prometheus.authorize has failed, so the scrape was refused",
          plainError(error),
        ),
      );
      return 500;
    }
  }
}

interface Target {
  readonly path: string;
  /** The host that the target itself names, as those of proxies do. */
  readonly authority: string | undefined;
}

/** Undefined if it can't be understood. */
function targetOf(target: string): Target | undefined {
  try {
    const isAbsolute = /^https?:\/\//i.test(target);
    const { pathname, host } = isAbsolute
      ? new URL(target)
      : { pathname: target.split("?", 1)[0]!, host: undefined };
    return { path: decodeURIComponent(pathname), authority: host };
  } catch {
    return undefined;
  }
}

function isOneOfSeveral(): boolean {
  const { NODE_APP_INSTANCE, pm_id } = process.env;
  return cluster.isWorker || NODE_APP_INSTANCE !== undefined || pm_id !== undefined;
}
