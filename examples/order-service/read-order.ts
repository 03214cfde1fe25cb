import type { IncomingMessage } from "node:http";
import { Refusal } from "./refusal.js";

const MOST_BYTES = 10_000;

export type Tier = "vip" | "regular";

/** Who sent the order? Throws a {@link Refusal} that says what is wrong with the body. */
export async function readTier(request: IncomingMessage): Promise<Tier> {
  const body = parse(await readBody(request));
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Refusal(400, "the body must be a JSON object");
  }
  const { power_user } = body as { power_user?: unknown };
  if (power_user === undefined) throw new Refusal(400, "power_user is missing");
  const word = typeof power_user === "string" ? power_user.toLowerCase() : power_user;
  if (word === true || word === "true") return "vip";
  if (word === false || word === "false") return "regular";
  throw new Refusal(400, 'power_user must be true, false, "True" or "False"');
}

/** What comes after the limit is not kept; once the answer is sent, Node reads it away. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = Number(request.headers["content-length"] ?? 0);
  if (bytes <= MOST_BYTES) {
    bytes = 0;
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        bytes += chunk.length;
        if (bytes > MOST_BYTES) break;
        chunks.push(chunk);
      }
    } catch {
      throw new Refusal(400, "the body broke off");
    }
  }
  if (bytes > MOST_BYTES) throw new Refusal(413, `the body must have at most ${MOST_BYTES} bytes`);
  return Buffer.concat(chunks).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(
      400,
      text === "" ? "the body is empty" : `the body is not JSON: ${(error as Error).message}`,
    );
  }
}
