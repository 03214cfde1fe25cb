import type { IncomingMessage, ServerResponse } from "node:http";
import { diag } from "@opentelemetry/api";
import { plainError } from "../../base/error-text.js";
import { contained } from "../../base/output.js";
import { SCOPE } from "../../telemetry/version.js";
import {
  ACTIONS,
  API,
  ERROR_STATUS,
  type ErrorAnswer,
  type ErrorCode,
  EVERY_MS,
  type Hello,
  HISTORY_SECONDS,
  PROTOCOL,
} from "../protocol.js";
import { type View, ViewError } from "../view.js";
import { readAction } from "./action-request.js";
import { EventStreams } from "./event-streams.js";
import { pageFile, SECURITY_HEADERS } from "./page.js";
import { type Auth, authorized, bearerOf, checkSource, hasToken } from "./refusals.js";

/** How a door serves its view. */
export interface DoorSettings {
  /** Where it is mounted: empty, or a path that begins with a slash and doesn't end with one. */
  readonly basePath: string;
  /** Which hosts a request may name; undefined where that doesn't matter. */
  readonly allowsHost: ((authority: string) => boolean) | undefined;
  readonly auth: Auth | undefined;
  /** Whether actions are allowed: with this token, or with what `auth` lets in. */
  readonly actions: { readonly token: string | undefined } | undefined;
  readonly traceUrl: string | undefined;
  /** How many streams of events there may be. */
  readonly maxClients: number;
  /** Whether the page is served, too. */
  readonly hasPage: boolean;
}

/** Shows a view to whatever comes by HTTP. */
export class Door {
  private readonly streams: EventStreams;

  constructor(
    private readonly view: View,
    private readonly settings: DoorSettings,
  ) {
    this.streams = new EventStreams(view, settings.maxClients);
  }

  /** Answers. Never rejects. `next` is called for what is not below the path. */
  async answer(request: IncomingMessage, response: ServerResponse, next?: () => void): Promise<void> {
    try {
      const { pathname, searchParams } = urlOf(request);
      const path = this.below(pathname, request);
      if (path === undefined) {
        if (next !== undefined) return next();
        throw new ViewError("not_found", "there is nothing here");
      }
      const isPage = this.settings.hasPage && path !== "metrics" && !path.startsWith("api/");
      checkSource(request, this.settings.allowsHost, isPage);
      const by = await authorized(request, this.settings.auth);
      if (isPage && isUnslashed(request)) return redirect(response, `${lastPartOf(request)}/`);
      await this.route(path, searchParams, request, response, by);
    } catch (error) {
      fail(response, error);
    }
  }

  /** Says goodbye to all who get events. */
  close(reason: string): void {
    this.streams.close(reason);
  }

  private async route(
    path: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
    by: string,
  ): Promise<void> {
    if (path === `${API}/action`) return this.act(request, response, by);
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") throw new ViewError("method_not_allowed", "this is only read");
    if (path === "metrics") {
      const text = await this.view.ask({ route: "metrics", process: textIn(query, "process") });
      return send(response, text, "text/plain; version=0.0.4; charset=utf-8");
    }
    if (path === `${API}/events`) return this.streams.open(request, response, query);
    if (path.startsWith(`${API}/`)) return this.read(path.slice(API.length + 1), query, response);
    const file = this.settings.hasPage ? await pageFile(path) : undefined;
    if (file === undefined)
      throw new ViewError("not_found", `there is nothing here; ${API}/hello says what there is`);
    return send(response, file.content, file.type);
  }

  private async read(route: string, query: URLSearchParams, response: ServerResponse): Promise<void> {
    const { view } = this;
    const process = textIn(query, "process");
    const queue = textIn(query, "queue");
    const json = (text: string) => send(response, text, "application/json; charset=utf-8");
    switch (route) {
      case "hello":
        return json(JSON.stringify(await this.hello()));
      case "snapshot":
        return json(JSON.stringify(await view.snapshot(process)));
      case "queue":
      case "history":
        if (queue === undefined) throw new ViewError("bad_request", "say which queue, by queue=NAME");
        return json(await view.ask({ route, process, queue }));
      case "reports":
        return json(await view.ask({ route, process }));
      case "tree":
        return json(await view.ask({ route, process, queue }));
      case "report": {
        const format = textIn(query, "format") === "text" ? "text" : "json";
        const text = await view.ask({ route, process, queue, id: textIn(query, "id"), format });
        return format === "text" ? send(response, text, "text/plain; charset=utf-8") : json(text);
      }
      case "search": {
        const q = textIn(query, "q");
        if (q === undefined) throw new ViewError("bad_request", "say what to search for, by q=ID");
        return json(await view.ask({ route, process, q }));
      }
      default:
        throw new ViewError(
          "not_found",
          `there is no route "${route}" in version ${PROTOCOL} of the protocol`,
        );
    }
  }

  private async hello(): Promise<Hello> {
    return {
      protocol: PROTOCOL,
      version: SCOPE.version,
      nowAt: Date.now(),
      everyMs: EVERY_MS,
      historyMs: 1_000 * HISTORY_SECONDS,
      actions: this.settings.actions === undefined ? [] : ACTIONS,
      traceUrl: this.settings.traceUrl,
      ...(await this.view.hello()),
    };
  }

  private async act(request: IncomingMessage, response: ServerResponse, by: string): Promise<void> {
    if (request.method !== "POST") throw new ViewError("method_not_allowed", "actions are asked for by POST");
    const { actions } = this.settings;
    if (actions === undefined) throw new ViewError("forbidden", "actions are not allowed: give allowActions");
    if (actions.token !== undefined && !hasToken(request, actions.token))
      throw new ViewError(
        "unauthorized",
        "actions take the token of allowActions, as authorization: Bearer TOKEN",
      );
    const action = await readAction(request);
    const token = bearerOf(request);
    send(response, await this.view.act(action, by, token), "application/json; charset=utf-8");
  }

  /** The path below where the view is mounted, without a slash at the beginning. */
  private below(pathname: string, request: IncomingMessage): string | undefined {
    const { basePath } = this.settings;
    // A router has taken it away already.
    const isMounted =
      typeof (request as { originalUrl?: unknown }).originalUrl === "string" &&
      !pathname.startsWith(`${basePath}/`);
    if (basePath === "" || isMounted) return pathname.slice(1);
    if (pathname === basePath) return "";
    return pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length + 1) : undefined;
  }
}

function urlOf(request: IncomingMessage): URL {
  try {
    const { url = "/" } = request;
    // What begins with two slashes would name a host.
    const target = /^https?:\/\//i.test(url) ? url : `http://host${url.replace(/^\/+/, "/")}`;
    const parsed = new URL(target);
    return Object.assign(parsed, { pathname: decodeURIComponent(parsed.pathname) });
  } catch {
    throw new ViewError("bad_request", "this is no path");
  }
}

/** The page's own URLs are relative, so it must be asked for with a slash at the end. */
function isUnslashed(request: IncomingMessage): boolean {
  const path = fullPath(request);
  return !path.endsWith("/") && !/\.\w+$/.test(path);
}

function fullPath(request: IncomingMessage): string {
  const { originalUrl } = request as { originalUrl?: unknown };
  return (typeof originalUrl === "string" ? originalUrl : (request.url ?? "/")).split("?", 1)[0]!;
}

function lastPartOf(request: IncomingMessage): string {
  const part = fullPath(request).split("/").at(-1) ?? "";
  return `./${part.replaceAll(/[^\w.~%-]/g, "")}`;
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(308, { ...SECURITY_HEADERS, location, "cache-control": "no-store" }).end();
}

function textIn(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name);
  return text === null || text === "" ? undefined : text;
}

function send(response: ServerResponse, content: string | Buffer, type: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    "content-type": type,
    "content-length": Buffer.byteLength(content),
    "cache-control": "no-store",
  });
  response.end(response.req.method === "HEAD" ? undefined : content);
}

function fail(response: ServerResponse, error: unknown): void {
  const { code, message } = inWords(error);
  if (response.destroyed) return;
  if (response.headersSent) return void response.destroy();
  const body = JSON.stringify({ error: { code, message } } satisfies ErrorAnswer);
  response.writeHead(ERROR_STATUS[code], {
    ...SECURITY_HEADERS,
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    connection: "close",
    ...(code === "unauthorized" ? { "www-authenticate": "Bearer" } : {}),
    ...(code === "method_not_allowed" ? { allow: "GET, HEAD, POST" } : {}),
  });
  response.end(body);
}

function inWords(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof ViewError) return { code: error.code, message: error.message };
  contained(() => diag.error("queuescope: the live view could not answer", plainError(error)));
  return { code: "internal", message: "something went wrong in queuescope; diag says what" };
}
