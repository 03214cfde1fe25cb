import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { realClearTimeout, realSetTimeout } from "../../base/real-time.js";
import { ERROR_STATUS, type ErrorAnswer, type ErrorCode } from "../protocol.js";
import { ViewError } from "../view.js";

/** How long an answer may take, and how long nothing may come by a stream, in milliseconds: events come each second. */
const ANSWER_LIMIT_MS = 5_000;
const SILENCE_LIMIT_MS = 15_000;
/** How much an answer may have, in bytes. */
const MAX_ANSWER = 100_000_000;

export interface Asked {
  readonly limitMs?: number;
  readonly method?: "GET" | "POST";
  readonly body?: string;
  readonly token?: string | undefined;
}

/** Asks the process behind a socket; holds no process. Rejects with a `ViewError`: its own answer, or that it gives none. */
export function ask(socketPath: string, path: string, asked: Asked = {}): Promise<string> {
  const { limitMs = ANSWER_LIMIT_MS, method = "GET", body, token } = asked;
  return new Promise((resolve, reject) => {
    const headers = {
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const request = httpRequest({ socketPath, path: `/${path}`, method, headers, agent: false });
    holdNothing(request);
    const timer = realSetTimeout(() => {
      end(new ViewError("unreachable", `the process has not answered within ${limitMs} ms`));
    }, limitMs);
    timer.unref();
    const end = (failure: unknown, text?: string) => {
      realClearTimeout(timer);
      if (failure === undefined) resolve(text!);
      else reject(failure);
      request.destroy();
    };
    request.once("error", (error) =>
      end(new ViewError("unreachable", `the process does not answer: ${error.message}`)),
    );
    request.once("response", (response) => {
      textOf(response).then(
        (text) => (response.statusCode === 200 ? end(undefined, text) : end(refusalIn(text))),
        (error) => end(error),
      );
    });
    request.end(body);
  });
}

/** A process that looks into others is held by none of them. */
function holdNothing(request: ClientRequest): void {
  request.once("socket", (socket) => socket.unref());
}

async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of response) {
      bytes += (piece as Buffer).length;
      if (bytes > MAX_ANSWER)
        throw new ViewError("too_large", "the process answers with more than can be read");
      pieces.push(piece as Buffer);
    }
  } catch (error) {
    throw error instanceof ViewError
      ? error
      : new ViewError("unreachable", "the process has broken off its answer");
  }
  return Buffer.concat(pieces).toString();
}

function refusalIn(text: string): ViewError {
  try {
    const { error } = JSON.parse(text) as ErrorAnswer;
    const code: ErrorCode = Object.hasOwn(ERROR_STATUS, error.code) ? error.code : "internal";
    return new ViewError(code, String(error.message));
  } catch {
    return new ViewError("unreachable", "what answers is no process of queuescope");
  }
}

/**
 * Reads events from the process behind a socket until it ends, or `close` is called. `ended` is called once, also where it could not begin.
 */
export function stream(
  socketPath: string,
  path: string,
  { event, ended }: { event(name: string, json: string): void; ended(): void },
): { close(): void } {
  let isOver = false;
  const request = httpRequest({ socketPath, path: `/${path}`, agent: false });
  holdNothing(request);
  const end = () => {
    if (isOver) return;
    isOver = true;
    realClearTimeout(timer);
    request.destroy();
    ended();
  };
  let timer = realSetTimeout(end, SILENCE_LIMIT_MS).unref();
  request.once("error", end);
  request.once("response", (response) => {
    if (response.statusCode !== 200) return end();
    response.once("close", end);
    response.once("error", end);
    response.setEncoding("utf8");
    const parser = new EventParser((name, json) => {
      if (!isOver) event(name, json);
    });
    response.on("data", (text: string) => {
      realClearTimeout(timer);
      timer = realSetTimeout(end, SILENCE_LIMIT_MS).unref();
      try {
        parser.add(text);
      } catch {
        end();
      }
    });
  });
  request.end();
  return { close: end };
}

/** Server-sent events, as this library writes them: a name and one line of data. */
export class EventParser {
  private pieces: string[] = [];

  constructor(private readonly event: (name: string, json: string) => void) {}

  add(text: string): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", from)) {
      this.pieces.push(text.slice(from, at));
      from = at + 1;
      this.line(this.pieces.join(""));
      this.pieces = [];
    }
    if (from < text.length) this.pieces.push(text.slice(from));
  }

  private name = "";
  private data: string | undefined;

  private line(line: string): void {
    if (line.startsWith("event: ")) this.name = line.slice(7);
    else if (line.startsWith("data: ")) this.data = line.slice(6);
    else if (line === "") {
      const { name, data } = this;
      this.name = "";
      this.data = undefined;
      if (data !== undefined) this.event(name, data);
    }
  }
}
