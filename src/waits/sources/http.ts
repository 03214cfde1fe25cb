import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import { requestLabel } from "../labels.js";
import { currentTaskNotes, type TaskNotes } from "../task-notes.js";
import { type Holder, MAX_HOLDERS, type ResourceUse } from "../wait.js";
import { socketState } from "./sockets.js";
import { Pending, type Source } from "./source.js";

const known = new WeakMap<ClientRequest, HttpWait>();

class HttpWait extends Pending {
  readonly kind = "http";

  constructor(
    notes: TaskNotes,
    private readonly request: ClientRequest & { readonly res?: IncomingMessage | null | undefined },
  ) {
    super(notes);
  }

  protected label(): string {
    const { method, protocol, host, path } = this.request;
    return requestLabel(method, protocol, String(this.request.getHeader("host") ?? host), path);
  }

  protected override state(): string {
    const { socket, res, writableFinished } = this.request;
    if (res) return "reading the body";
    if (!socket) return "waiting for a connection";
    if (socket.connecting) return socketState(socket);
    return writableFinished ? "sent, waiting for headers" : "sending";
  }

  /** Of the agent's connections, while it waits for one. */
  protected override use(): ResourceUse | undefined {
    const line = this.line();
    if (line === undefined) return undefined;
    const { agent, key, waiting } = line;
    return {
      inUse: agent.sockets[key]?.length ?? 0,
      idle: agent.freeSockets[key]?.length ?? 0,
      waiting,
      limit: Math.min(agent.maxSockets, agent.maxTotalSockets),
    };
  }

  protected override holders(): readonly Holder[] | undefined {
    const line = this.line();
    if (line === undefined) return undefined;
    const sockets = (line.agent.sockets[line.key] ?? []) as { _httpMessage?: ClientRequest | null }[];
    const waits = sockets.flatMap(({ _httpMessage }) => (_httpMessage && known.get(_httpMessage)) ?? []);
    return waits
      .sort((a, b) => a.since - b.since)
      .slice(0, MAX_HOLDERS)
      .map(({ notes, since }) => ({ correlationId: notes.task.correlationId, since }));
  }

  /** Where the request waits in its agent, if it does. */
  private line(): { agent: Agent; key: string; waiting: number } | undefined {
    const { agent } = this.request as { agent?: Agent | undefined };
    for (const [key, requests] of Object.entries(agent?.requests ?? {})) {
      if (requests?.includes(this.request as never)) return { agent: agent!, key, waiting: requests.length };
    }
    return undefined;
  }
}

/** On the first of the two channels that this version of Node has. */
function begin({ request }: { request: ClientRequest }): void {
  const notes = currentTaskNotes();
  if (notes === undefined || known.has(request)) return;
  const wait = new HttpWait(notes, request);
  known.set(request, wait);
  // It always comes: when the answer has been read, on errors, and on an abort.
  request.once("close", () => wait.end());
}

/** What goes through `node:http` and `node:https`. Before Node 22, requests that wait for a free connection are missing. */
export const httpRequests: Source = {
  "http.client.request.created": begin,
  "http.client.request.start": begin,
};

const streams = new WeakMap<ClientHttp2Stream, Http2Wait>();

class Http2Wait extends Pending {
  readonly kind = "http";
  isAnswered = false;

  constructor(
    notes: TaskNotes,
    private readonly stream: ClientHttp2Stream,
    private readonly headers: OutgoingHttpHeaders,
  ) {
    super(notes);
  }

  protected label(): string {
    const { headers } = this;
    const of = (name: string) => String(headers[name] ?? "");
    return requestLabel(of(":method"), `${of(":scheme")}:`, of(":authority"), of(":path"));
  }

  protected override state(): string {
    if (this.isAnswered) return "reading the body";
    if (this.stream.pending) return "waiting for a connection";
    return this.stream.writableFinished ? "sent, waiting for headers" : "sending";
  }
}

/** What goes through `node:http2`, from Node 24 on, which publishes it. */
export const http2Streams: Source = {
  "http2.client.stream.created": ({ stream, headers }) => {
    const notes = currentTaskNotes();
    if (notes === undefined) return;
    const wait = new Http2Wait(notes, stream, headers);
    streams.set(stream, wait);
    stream.once("close", () => wait.end());
  },
  "http2.client.stream.finish": ({ stream }) => {
    const wait = streams.get(stream);
    if (wait !== undefined) wait.isAnswered = true;
  },
};
