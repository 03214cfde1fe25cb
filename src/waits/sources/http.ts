import type { ClientRequest, IncomingMessage } from "node:http";
import { requestLabel } from "../labels.js";
import { Pending } from "../pending.js";
import { currentTaskNotes, type TaskNotes } from "../task-notes.js";
import { socketState } from "./sockets.js";
import type { Source } from "./source.js";

const known = new WeakSet<ClientRequest>();

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
}

/** On the first of the two channels that this version of Node has. */
function begin({ request }: { request: ClientRequest }): void {
  const notes = currentTaskNotes();
  if (notes === undefined || known.has(request)) return;
  known.add(request);
  const wait = new HttpWait(notes, request);
  // It always comes: when the answer has been read, on errors, and on an abort.
  request.once("close", () => wait.end());
}

/** What goes through `node:http` and `node:https`. Before Node 22, requests that wait for a free connection are missing. */
export const httpRequests: Source = {
  "http.client.request.created": begin,
  "http.client.request.start": begin,
};
