import type { ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import { requestLabel } from "../labels.js";
import { Pending } from "../pending.js";
import { currentTaskNotes, type TaskNotes } from "../task-notes.js";
import type { Source } from "./source.js";

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
