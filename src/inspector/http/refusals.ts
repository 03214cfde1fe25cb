import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { inTime } from "../../base/in-time.js";
import { ViewError } from "../view.js";

/** Who asks: `true` or a name lets them in, and everything else doesn't. */
export type Auth = (
  request: IncomingMessage,
) => boolean | string | undefined | PromiseLike<boolean | string | undefined>;

/** How long `auth` may take, in milliseconds. */
const AUTH_LIMIT_MS = 5_000;

/**
 * A page of another site must neither read what is here nor do anything: browsers say where a request comes from, and always name the host. `allowsHost` is
 * undefined where names can't be forged, as on a unix socket.
 */
export function checkSource(
  request: IncomingMessage,
  allowsHost: ((authority: string) => boolean) | undefined,
  isPage: boolean,
): void {
  const { host, origin, "sec-fetch-site": site } = request.headers;
  if (allowsHost !== undefined && (host === undefined || !allowsHost(host)))
    throw new ViewError("forbidden", "the live view is not served by that host name");
  if (origin !== undefined && !isOwn(origin, host))
    throw new ViewError("forbidden", "the live view answers only its own page");
  // To follow a link to the page is all that other sites may have one do.
  if (!isPage && site !== undefined && site !== "same-origin" && site !== "none")
    throw new ViewError("forbidden", "the live view answers only its own page");
}

function isOwn(origin: string, host: string | undefined): boolean {
  return host !== undefined && /^https?:\/\//.test(origin) && origin.replace(/^https?:\/\//, "") === host;
}

/** By whom the request is. Rejects with a `ViewError` where `auth` doesn't let it in. */
export async function authorized(request: IncomingMessage, auth: Auth | undefined): Promise<string> {
  const from = request.socket.remoteAddress ?? "the socket";
  if (auth === undefined) return from;
  let answer: unknown;
  try {
    answer = await inTime(AUTH_LIMIT_MS, (async () => auth(request))());
  } catch {
    throw new ViewError("internal", "whether this is authorized could not be found out");
  }
  if (answer === true) return from;
  if (typeof answer === "string" && answer !== "") return `${answer} from ${from}`;
  throw new ViewError("unauthorized", "not authorized");
}

/** Whether it has the token, as a bearer. It takes as long whatever is wrong with it. */
export function hasToken(request: IncomingMessage, token: string): boolean {
  const given = bearerOf(request);
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

export function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
