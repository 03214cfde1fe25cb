import { request } from "node:http";
import { connect } from "node:net";
import { EventParser } from "../../src/inspector/remote/client.js";

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

type Target = { readonly socketPath: string } | { readonly port: number; readonly host?: string };

/** Asks by HTTP, over a socket or a port. */
export function ask(
  target: Target,
  path: string,
  {
    method = "GET",
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...target, path, method, headers, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece) => pieces.push(piece));
      response.once("error", reject);
      response.once("end", () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text: Buffer.concat(pieces).toString(),
        }),
      );
    });
    asked.once("error", reject);
    asked.end(body);
  });
}

export async function json<T>(target: Target, path: string): Promise<T> {
  const { status, text } = await ask(target, path);
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return JSON.parse(text) as T;
}

export interface Event {
  readonly name: string;
  readonly data: unknown;
}

/** A stream of events, which can be waited for. */
export class Events {
  readonly all: Event[] = [];
  private readonly waiting = new Set<() => void>();
  private readonly asked: ReturnType<typeof request>;
  isOver = false;

  constructor(target: Target, path = "/api/v1/events", headers: Record<string, string> = {}) {
    const parser = new EventParser((name, text) => {
      this.all.push({ name, data: JSON.parse(text) });
      this.tell();
    });
    this.asked = request({ ...target, path, headers, agent: false }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (text) => parser.add(text));
      response.on("close", () => this.end());
      response.on("error", () => this.end());
    });
    this.asked.on("error", () => this.end());
    this.asked.end();
  }

  /** The first one that is of that name, and like that. */
  async next<T>(name: string, isIt: (data: T) => boolean = () => true): Promise<T> {
    for (;;) {
      const found = this.all.find((event) => event.name === name && isIt(event.data as T));
      if (found !== undefined) return found.data as T;
      if (this.isOver) throw new Error(`the stream has ended without ${name}`);
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  async over(): Promise<void> {
    while (!this.isOver) await new Promise<void>((resolve) => this.waiting.add(resolve));
  }

  close(): void {
    this.asked.destroy();
  }

  private end(): void {
    this.isOver = true;
    this.tell();
  }

  private tell(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

/** Sends these bytes, and gives what comes until the other side closes. */
export function raw(target: Target, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket =
      "port" in target ? connect(target.port, target.host ?? "127.0.0.1") : connect(target.socketPath);
    const pieces: Buffer[] = [];
    socket.on("data", (piece) => pieces.push(piece));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(pieces).toString("latin1")));
    socket.write(text);
  });
}
