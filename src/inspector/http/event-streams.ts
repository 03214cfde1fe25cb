import type { IncomingMessage, ServerResponse } from "node:http";
import { type View, ViewError } from "../view.js";
import { SECURITY_HEADERS } from "./page.js";

/** How much may wait to be read by a client, in bytes: one that has more at the next event is disconnected. */
const MAX_WAITING = 2_000_000;
/** After how many milliseconds a client that was disconnected is to come again. */
const RETRY_MS = 2_000;

/** Server-sent events for some clients at a time. What one doesn't read costs only itself. */
export class EventStreams {
  private readonly clients = new Set<ServerResponse>();

  constructor(
    private readonly view: View,
    private readonly maxClients: number,
  ) {}

  async open(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    if (this.clients.size >= this.maxClients)
      throw new ViewError(
        "too_many_clients",
        `there are ${this.maxClients} clients already, and no more are let in`,
      );
    this.clients.add(response);
    let end: (() => void) | undefined;
    let isOver = false;
    const over = () => {
      isOver = true;
      this.clients.delete(response);
      end?.();
      end = undefined;
    };
    response.once("close", over);
    let isOpen = false;
    const send = (event: string, json: string) => {
      if (isOver) return;
      if (response.writableLength > MAX_WAITING) {
        response.destroy();
        return;
      }
      if (!isOpen) {
        isOpen = true;
        begin(response);
      }
      response.write(`event: ${event}\ndata: ${json}\n\n`);
    };
    try {
      const process = query.get("process") || undefined;
      const queue = query.get("queue") || undefined;
      end = await this.view.watch({ process, queue, send });
      if (isOver || request.destroyed) over();
    } catch (error) {
      over();
      throw error;
    }
  }

  close(reason: string): void {
    for (const response of this.clients) response.end(`event: bye\ndata: ${JSON.stringify({ reason })}\n\n`);
    this.clients.clear();
  }
}

function begin(response: ServerResponse): void {
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    // Proxies are not to collect it.
    "x-accel-buffering": "no",
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
}
