/** Reads events of the process that asked for it, by as many connections as it wants. */
import { type ClientRequest, request } from "node:http";

interface Wanted {
  readonly count: number;
  readonly socketPath?: string;
}

let open: ClientRequest[] = [];

process.on("message", async ({ count, socketPath }: Wanted) => {
  for (const each of open) each.destroy();
  open = [];
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const path = i === 0 ? "/api/v1/events?queue=queue%200" : "/api/v1/events";
      const asked = request({ socketPath, path, agent: false });
      asked.on("error", () => {});
      open.push(asked);
      await new Promise<void>((resolve) => {
        asked.once("response", (response) => {
          response.on("error", () => {});
          response.once("data", () => resolve());
          response.resume();
        });
        asked.end();
      });
    }),
  );
  process.send!("ready");
});
process.on("disconnect", () => process.exit());
