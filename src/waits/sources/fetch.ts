import { requestLabel } from "../labels.js";
import { currentTaskNotes, type TaskNotes } from "../task-notes.js";
import { type Holder, MAX_HOLDERS, type ResourceUse } from "../wait.js";
import { forgetSocket } from "./sockets.js";
import { Pending, type Source } from "./source.js";

/** What undici publishes of a request. */
interface Request {
  readonly method: string;
  readonly origin: string | URL;
  readonly path: string;
}

const requests = new WeakMap<Request, FetchWait>();
/** How many connections are being made, by origin. */
const connecting = new Map<string, number>();
/** Those of tasks, by origin, the oldest first. */
const open = new Map<string, Set<FetchWait>>();

class FetchWait extends Pending {
  readonly kind = "http";
  phase: "connection" | "sending" | "headers" | "body" = "connection";

  constructor(
    notes: TaskNotes,
    private readonly request: Request,
  ) {
    super(notes);
    const key = String(request.origin);
    const same = open.get(key);
    if (same === undefined) open.set(key, new Set([this]));
    else same.add(this);
  }

  override end(): void {
    super.end();
    const key = String(this.request.origin);
    const same = open.get(key);
    if (same?.delete(this) && same.size === 0) open.delete(key);
  }

  protected label(): string {
    const { protocol, host } = new URL(String(this.request.origin));
    return requestLabel(this.request.method, protocol, host, this.request.path);
  }

  protected override state(): string {
    switch (this.phase) {
      case "connection":
        return connecting.has(new URL(String(this.request.origin)).origin)
          ? "connecting"
          : "waiting for a connection";
      case "sending":
        return "sending";
      case "headers":
        return "sent, waiting for headers";
      case "body":
        return "reading the body";
    }
  }

  /** Of the connections to its origin, as far as tasks have them, while it waits for one. */
  protected override use(): ResourceUse | undefined {
    if (this.state() !== "waiting for a connection") return undefined;
    const served = this.served();
    const waiting = open.get(String(this.request.origin))!.size - served.length;
    return { inUse: served.length, idle: undefined, waiting, limit: undefined };
  }

  protected override holders(): readonly Holder[] | undefined {
    if (this.state() !== "waiting for a connection") return undefined;
    return this.served()
      .slice(0, MAX_HOLDERS)
      .map(({ notes, since }) => ({ correlationId: notes.task.correlationId, since }));
  }

  private served(): readonly FetchWait[] {
    return [...(open.get(String(this.request.origin)) ?? [])].filter(({ phase }) => phase !== "connection");
  }
}

function end({ request }: { request: Request }): void {
  requests.get(request)?.end();
}

function connected({ connectParams }: { connectParams: { protocol: string; host: string } }): void {
  const { origin } = new URL(`${connectParams.protocol}//${connectParams.host}`);
  const left = (connecting.get(origin) ?? 0) - 1;
  if (left > 0) connecting.set(origin, left);
  else connecting.delete(origin);
}

/** The global `fetch`, and all that undici sends, in each of its copies. */
export const fetches: Source = {
  "undici:request:create": ({ request }) => {
    const notes = currentTaskNotes();
    if (notes !== undefined) requests.set(request, new FetchWait(notes, request));
  },
  "undici:client:beforeConnect": ({ connectParams }) => {
    const { origin } = new URL(`${connectParams.protocol}//${connectParams.host}`);
    connecting.set(origin, (connecting.get(origin) ?? 0) + 1);
  },
  "undici:client:connected": (message) => {
    connected(message);
    forgetSocket(message.socket);
  },
  "undici:client:connectError": connected,
  "undici:client:sendHeaders": ({ request }) => {
    const wait = requests.get(request);
    if (wait !== undefined) wait.phase = "sending";
  },
  "undici:request:bodySent": ({ request }) => {
    const wait = requests.get(request);
    if (wait?.phase === "sending") wait.phase = "headers";
  },
  "undici:request:headers": ({ request }) => {
    const wait = requests.get(request);
    if (wait !== undefined) wait.phase = "body";
  },
  "undici:request:trailers": end,
  "undici:request:error": end,
};
