import type { Answer } from "../answer.js";
import { Refusal } from "../refusal.js";
import type { Faults } from "./index.js";

const ONE = /^\/faults\/([^/]+)$/;

/** `GET /faults` lists them, `PUT /faults/{name}` begins one, `DELETE /faults/{name}` ends it. Undefined for any other path. */
export function answerFaults(faults: Faults, method: string, path: string): Answer | undefined {
  if (path === "/faults") {
    if (method !== "GET") throw new Refusal(405, "faults are listed by GET", { allow: "GET" });
    return { status: 200, body: { faults: faults.list() } };
  }
  const name = ONE.exec(path)?.[1];
  if (name === undefined) return undefined;
  if (method !== "PUT" && method !== "DELETE") {
    throw new Refusal(405, "a fault begins by PUT and ends by DELETE", { allow: "PUT, DELETE" });
  }
  const status = faults.set(name, method === "PUT");
  if (status !== undefined) return { status: 200, body: { ...status } };
  return { status: 404, body: { error: `there is no fault "${name}"`, faults: faults.list() } };
}
