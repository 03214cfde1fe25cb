import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { PortInUseError } from "../errors.js";

/** Serves the scrape at `/metrics`, and holds neither the process nor, once closed, a connection. */
export class MetricsServer {
  private constructor(
    private readonly server: Server,
    /** Where to scrape. */
    readonly url: string,
  ) {}

  /** Listens; a port of 0 is any free one. Rejects with {@link PortInUseError}, or with the system's error. */
  static async listen(host: string, port: number, scrape: RequestListener): Promise<MetricsServer> {
    const server = createServer((request, response) => {
      const path = request.url?.split("?", 1)[0];
      if (path === "/metrics") scrape(request, response);
      else response.writeHead(404, { "content-type": "text/plain" }).end("metrics are served at /metrics\n");
    });
    await new Promise<void>((resolve, reject) => {
      // For good: what goes wrong later must not end the process.
      server.on("error", (error: NodeJS.ErrnoException) => {
        const isTaken = error.code === "EADDRINUSE";
        reject(isTaken ? new PortInUseError("prometheus.port", host, port, { cause: error }) : error);
      });
      server.listen({ host, port }, resolve);
    });
    server.unref();
    const { port: actual } = server.address() as AddressInfo;
    return new MetricsServer(server, `http://${host.includes(":") ? `[${host}]` : host}:${actual}/metrics`);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}
