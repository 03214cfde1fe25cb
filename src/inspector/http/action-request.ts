import type { IncomingMessage } from "node:http";
import { inTime } from "../../base/in-time.js";
import { ACTIONS, type ActionName, type ActionRequest } from "../protocol.js";
import { ViewError } from "../view.js";

/** How much of a body is read, in bytes, and for how long, in milliseconds. */
const MAX_BYTES = 10_000;
const LIMIT_MS = 5_000;

/** What is asked for. Rejects with a `ViewError` for what is no such thing. */
export async function readAction(request: IncomingMessage): Promise<ActionRequest> {
  // A form of another site can't say that it is JSON.
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? ""))
    throw new ViewError("bad_request", "the content-type must be application/json");
  const { body: parsed } = request as { body?: unknown };
  const body = typeof parsed === "object" && parsed !== null ? parsed : await bodyOf(request);
  const { action, process, queue, pool, concurrency } = body as Record<string, unknown>;
  if (typeof action !== "string" || !(ACTIONS as readonly string[]).includes(action))
    throw new ViewError("bad_request", `action must be one of ${ACTIONS.join(", ")}`);
  if (typeof queue !== "string") throw new ViewError("bad_request", "queue must be the name of a queue");
  if (pool !== undefined && typeof pool !== "string")
    throw new ViewError("bad_request", "pool must be the name of a worker pool");
  if (process !== undefined && typeof process !== "string")
    throw new ViewError("bad_request", "process must be the ID of a process");
  if (action === "resize" ? !isCount(concurrency) : concurrency !== undefined)
    throw new ViewError("bad_request", "concurrency must be a whole number from 1, and is of resize only");
  return {
    action: action as ActionName,
    queue,
    process,
    pool,
    concurrency: concurrency as number | undefined,
  };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

async function bodyOf(request: IncomingMessage): Promise<object> {
  const read = async () => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    for await (const piece of request) {
      bytes += (piece as Buffer).length;
      if (bytes > MAX_BYTES) throw new ViewError("too_large", `an action has at most ${MAX_BYTES} bytes`);
      pieces.push(piece as Buffer);
    }
    return Buffer.concat(pieces).toString();
  };
  const text = await inTime(
    LIMIT_MS,
    read(),
    () => new ViewError("bad_request", "the body did not come in time"),
  );
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // The same as any other text.
  }
  throw new ViewError("bad_request", "the body must be an object as JSON");
}
