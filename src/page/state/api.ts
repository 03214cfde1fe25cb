import type { ActionAnswer, ActionRequest, ErrorAnswer } from "../../inspector/protocol.js";

/** Below the page, wherever that is mounted. */
const API = "api/v1";

/** What the server answered instead: `message` says what to do. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

export type Params = Readonly<Record<string, string | undefined>>;

/** The address of a route with these parameters; those that are undefined are left out. */
export function addressOf(route: string, params: Params = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined) search.set(name, value);
  const query = search.toString();
  return `${API}/${route}${query === "" ? "" : `?${query}`}`;
}

/** Throws an {@link ApiError}, or the error of a connection that failed. */
export async function get<Answer>(route: string, params?: Params, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(addressOf(route, params), { ...(signal && { signal }), cache: "no-store" });
  return read<Answer>(response);
}

/** Takes an action, which the server only allows with a token. */
export async function act(request: ActionRequest, token: string): Promise<ActionAnswer> {
  const response = await fetch(addressOf("action"), {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
  });
  return read<ActionAnswer>(response);
}

async function read<Answer>(response: Response): Promise<Answer> {
  const answer = (await response.json().catch(() => undefined)) as Answer | ErrorAnswer | undefined;
  if (response.ok && answer !== undefined) return answer as Answer;
  const error = (answer as ErrorAnswer | undefined)?.error;
  throw new ApiError(
    error?.message ?? `the server answered with status ${response.status}`,
    error?.code ?? "internal",
  );
}
