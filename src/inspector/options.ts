import { checkFunction, checkKnown, checkNumber, checkObject, type OptionNames } from "../base/checks.js";
import { InvalidOptionRangeError, InvalidOptionTypeError } from "../base/errors.js";
import { checkName } from "../base/limits.js";
import type { Auth } from "./http/refusals.js";

/** Options of {@link inspect}. Only `undefined` stands for the default. */
export interface InspectOptions {
  /** What the process is called. Default: the `serviceName` of `startTelemetry`, else the names of its package and script. */
  name?: string | undefined;
  /**
   * What is shown of an item that waits: it is copied, as plain data and not more than some 16 000 characters. Default: nothing, items may
   * be private.
   */
  payload?: ((item: unknown) => unknown) | undefined;
  /**
   * Gets every text of the user's that is shown (correlation IDs, steps, waits, errors, payloads, verdicts), and gives what is shown instead. Names of queues,
   * tiers and pools don't go through it. It may get what it gave. Where it throws, `…` is shown.
   */
  redact?: ((text: string) => string) | undefined;
  /**
   * Lets those who have the token pause, resume, resize and drain worker pools, and have reports written. The token has at least 16 characters. Default:
   * that is not allowed.
   */
  allowActions?: { token: string } | undefined;
  /** Where a trace is to be seen: an `http://` or `https://` URL with `{traceId}` in it. Default: traces have no links. */
  traceUrl?: string | undefined;
  /** How many may look at a time. Default: 32. */
  maxClients?: number | undefined;
}

/** Options of {@link inspectorHandler}. Only `undefined` stands for the default. */
export interface InspectorHandlerOptions extends Omit<InspectOptions, "allowActions"> {
  /**
   * Which processes are shown: this one, or all of this user's that can be looked into, on this machine. Default: `own`.
   */
  processes?: "own" | "all" | undefined;
  /**
   * Whether a request is let in: `true`, or a name for who it is; it is waited for, at most 5 s. Default: every request that names this machine as its
   * host, as a browser on it does.
   *
   * @example
   * auth: (request) => request.headers["x-forwarded-user"] === "ada" && "ada"
   */
  auth?: Auth | undefined;
  /** `true`: what `auth` lets in may act. `{ token }`: what has that, too. Default: acting is not allowed. */
  allowActions?: true | { token: string } | undefined;
  /** Where it is mounted in the server, such as `/queues`; a router that takes its own path away needs none. Default: at the root. */
  basePath?: string | undefined;
}

/** Options of {@link serveInspector}. Only `undefined` stands for the default. */
export interface ServeInspectorOptions extends Omit<InspectorHandlerOptions, "basePath"> {
  /** 0 is any free one. Default: 9465. */
  port?: number | undefined;
  /** The address to listen on. Any but the machine's own needs `auth`. Default: `127.0.0.1`. */
  host?: string | undefined;
}

const COMMON: OptionNames<InspectOptions> = {
  name: true,
  payload: true,
  redact: true,
  allowActions: true,
  traceUrl: true,
  maxClients: true,
};
const HANDLER: OptionNames<InspectorHandlerOptions> = {
  ...COMMON,
  processes: true,
  auth: true,
  basePath: true,
};
const { basePath: _, ...OF_BOTH } = HANDLER;
const SERVE: OptionNames<ServeInspectorOptions> = { ...OF_BOTH, port: true, host: true };

const MIN_TOKEN = 16;

/** {@link InspectOptions}, checked and complete. */
export interface InspectSettings {
  readonly name: string | undefined;
  readonly payload: InspectOptions["payload"];
  readonly redact: InspectOptions["redact"];
  readonly actions: { readonly token: string | undefined } | undefined;
  readonly traceUrl: string | undefined;
  readonly maxClients: number;
}

/** {@link InspectorHandlerOptions}, checked and complete. */
export interface HandlerSettings extends InspectSettings {
  readonly processes: "own" | "all";
  readonly auth: Auth | undefined;
  readonly basePath: string;
}

/** Throws an `InvalidOption…Error`. */
export function readInspectOptions(options: InspectOptions | undefined): InspectSettings {
  checkObject("options", options);
  checkKnown(options, COMMON);
  return readCommon(options, undefined);
}

/** Throws an `InvalidOption…Error`. */
export function readHandlerOptions(options: InspectorHandlerOptions | undefined): HandlerSettings {
  checkObject("options", options);
  checkKnown(options, HANDLER);
  return readHandler(options);
}

/** Throws an `InvalidOption…Error`. */
export function readServeOptions(
  options: ServeInspectorOptions | undefined,
): HandlerSettings & { readonly host: string; readonly port: number } {
  checkObject("options", options);
  checkKnown(options, SERVE);
  const { host = "127.0.0.1", port = 9465 } = options ?? {};
  if (typeof host !== "string" || host === "")
    throw new InvalidOptionTypeError("host", host, "a host name or an address");
  checkNumber(
    "port",
    port,
    "a whole number from 0 to 65535",
    (n) => Number.isInteger(n) && n >= 0 && n <= 65_535,
  );
  const settings = readHandler(options);
  if (settings.auth === undefined && !isOwnMachine(host)) {
    const allowed = "127.0.0.1, ::1 or localhost, unless auth says who is let in";
    throw new InvalidOptionRangeError("host", host, allowed);
  }
  return { ...settings, host, port };
}

function readHandler(options: InspectorHandlerOptions | undefined): HandlerSettings {
  const { processes = "own", auth, basePath = "" } = options ?? {};
  if (processes !== "own" && processes !== "all")
    throw new InvalidOptionTypeError("processes", processes, '"own" or "all"');
  checkFunction("auth", auth);
  if (typeof basePath !== "string") throw new InvalidOptionTypeError("basePath", basePath, "a path");
  const base = basePath.replace(/\/+$/, "");
  if (base !== "" && !/^(\/[\w.~-]+)+$/.test(base))
    throw new InvalidOptionRangeError(
      "basePath",
      basePath,
      "a path that begins with a slash, such as /queues",
    );
  return { ...readCommon(options, auth), processes, auth, basePath: base };
}

function readCommon(
  options: InspectOptions | InspectorHandlerOptions | undefined,
  auth: Auth | undefined,
): InspectSettings {
  const { name, payload, redact, allowActions, traceUrl, maxClients = 32 } = options ?? {};
  if (name !== undefined) checkName("name", name);
  checkFunction("payload", payload);
  checkFunction("redact", redact);
  checkNumber("maxClients", maxClients, "a whole number from 1", (n) => n >= 1 && Number.isInteger(n));
  return {
    name,
    payload,
    redact,
    actions: readActions(allowActions, auth),
    traceUrl: readTraceUrl(traceUrl),
    maxClients,
  };
}

function readActions(allowActions: unknown, auth: Auth | undefined): InspectSettings["actions"] {
  if (allowActions === undefined) return undefined;
  const allowed = `{ token } with at least ${MIN_TOKEN} characters${auth === undefined ? "" : ", or true"}`;
  if (allowActions === true && auth !== undefined) return { token: undefined };
  if (typeof allowActions !== "object" || allowActions === null)
    throw new InvalidOptionTypeError("allowActions", allowActions, allowed);
  checkKnown(allowActions, { token: true }, "allowActions.");
  const { token } = allowActions as { token?: unknown };
  // Its value is in no message.
  if (typeof token !== "string" || token.length < MIN_TOKEN || /\s/.test(token)) {
    const message = `allowActions.token must be a text of at least ${MIN_TOKEN} characters, without spaces`;
    throw new InvalidOptionTypeError("allowActions.token", undefined, allowed, message);
  }
  return { token };
}

function readTraceUrl(traceUrl: unknown): string | undefined {
  if (traceUrl === undefined) return undefined;
  const allowed = "an http:// or https:// URL with {traceId} in it";
  if (typeof traceUrl !== "string") throw new InvalidOptionTypeError("traceUrl", traceUrl, allowed);
  if (!/^https?:\/\/[^/]/i.test(traceUrl) || !traceUrl.includes("{traceId}"))
    throw new InvalidOptionRangeError("traceUrl", traceUrl, allowed);
  return traceUrl;
}

function isOwnMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
