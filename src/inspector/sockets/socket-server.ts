import { chmodSync, existsSync, unlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import type { Door } from "../http/door.js";
import type { ProcessInfo } from "../protocol.js";
import { roomIn, usableFolder } from "./folders.js";
import { checkMayOpen } from "./may-open.js";
import { socketName } from "./names.js";
import { removeIfStale, removeStale } from "./stale.js";

/** More than that at a time connect only by mistake, or to do harm. */
const MAX_CONNECTIONS = 64;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** A connection by which nothing moves for so long is closed, in milliseconds: events come each second. */
const IDLE_TIMEOUT_MS = 30_000;

/** A unix socket by which this user's commands look into the process. It holds neither the process nor a connection. */
export class SocketServer {
  private server: Server | undefined;
  private where: string | undefined;
  private readonly onExit = () => this.remove();

  constructor(
    private readonly door: Door,
    /** Of now. */
    private readonly infoOf: () => ProcessInfo,
  ) {}

  /** Where it listens; undefined where it doesn't. */
  get path(): string | undefined {
    return this.where;
  }

  /** Rejects with an error that says why there is none. */
  async open(): Promise<void> {
    if (process.platform === "win32")
      throw new Error("there are no unix sockets on Windows; use serveInspector()");
    const folder = usableFolder();
    const path = join(folder, socketName(this.infoOf(), roomIn(folder)));
    checkMayOpen(path);
    await removeStale(folder);
    // Of a process of the same number that began in the same second, as where a container starts anew.
    if (existsSync(path)) await removeIfStale(path, 0);
    const server = createServer({
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.timeout = IDLE_TIMEOUT_MS;
    server.on("connection", (socket) => socket.unref());
    server.on("request", (request, response) => void this.door.answer(request, response));
    await new Promise<void>((resolve, reject) => {
      // For good: what goes wrong later must not end the process.
      server.on("error", reject);
      // In a worker of node:cluster the primary process would listen instead.
      server.listen({ path, exclusive: true }, resolve);
    });
    server.unref();
    this.server = server;
    this.where = path;
    process.once("exit", this.onExit);
    try {
      chmodSync(path, 0o600);
    } catch {
      // The folder lets none but the user in.
    }
  }

  /** Whether the socket is gone, because the folder was cleaned or its user has logged out. */
  get isLost(): boolean {
    return this.where !== undefined && !existsSync(this.where);
  }

  /** Can be called again. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    process.off("exit", this.onExit);
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    this.remove();
  }

  private remove(): void {
    const path = this.where;
    this.where = undefined;
    if (path === undefined) return;
    try {
      unlinkSync(path);
    } catch {
      // It is gone already.
    }
  }
}
