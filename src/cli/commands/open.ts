import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { allowsHost } from "../../base/allowed-host.js";
import { Door } from "../../inspector/http/door.js";
import { CombinedView } from "../../inspector/remote/combined-view.js";
import { type Command, CommandError, EXIT } from "../command.js";
import { nothingToSee } from "../processes.js";
import { untilSignal } from "../until-signal.js";

const HOST = "127.0.0.1";
const MAX_CLIENTS = 64;

const command: Command = {
  help: `Usage: queuescope open [--port PORT] [--no-browser] [--trace-url URL]

Serves the live view of all processes of this user that can be looked into, on this machine only, and opens it in a browser. It prints the URL first.
Processes may come and go meanwhile. Ctrl-C ends it.

  --port PORT       default: 9465, or any free one where that is in use
  --no-browser      only prints the URL
  --trace-url URL   where a trace is to be seen, with {traceId} in it
  --json            prints {"url": "…"} instead of a sentence`,
  options: {
    port: { type: "string" },
    "no-browser": { type: "boolean" },
    "trace-url": { type: "string" },
    json: { type: "boolean" },
  },
  async run(values, _args, output) {
    const port = values.port === undefined ? undefined : Number(values.port);
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535 && values.port !== ""))
      throw new CommandError(
        `--port must be a whole number from 0 to 65535, not "${values.port}"`,
        EXIT.usage,
      );
    const traceUrl = values["trace-url"] as string | undefined;
    if (traceUrl !== undefined && !(/^https?:\/\/[^/]/i.test(traceUrl) && traceUrl.includes("{traceId}")))
      throw new CommandError(
        "--trace-url must be an http:// or https:// URL with {traceId} in it",
        EXIT.usage,
      );
    const view = new CombinedView();
    const ended = untilSignal();
    const server = await listening(port);
    const door = new Door(view, {
      basePath: "",
      allowsHost: allowsHost(HOST, HOST),
      auth: undefined,
      // Each process asks for its own token.
      actions: { token: undefined },
      traceUrl,
      maxClients: MAX_CLIENTS,
      hasPage: true,
    });
    server.on("request", (request, response) => void door.answer(request, response));
    const url = `http://${HOST}:${(server.address() as AddressInfo).port}/`;
    output.print(values.json === true ? JSON.stringify({ url }) : `The live view is at ${url}`);
    await view.find();
    if (view.processes.length === 0) output.note(`queuescope: ${nothingToSee()}`);
    if (values["no-browser"] !== true && process.stdout.isTTY) openBrowser(url);
    await ended;
    door.close("the command has ended");
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    view.close();
    return EXIT.ok;
  },
};

export default command;

async function listening(port: number | undefined) {
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 });
  const listen = (wanted: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: HOST, port: wanted, exclusive: true }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  try {
    await listen(port ?? 9465);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    if (port !== undefined)
      throw new CommandError(`port ${port} is in use; leave --port out for any free one`, EXIT.failed);
    await listen(0);
  }
  server.on("error", () => {});
  return server;
}

/** Whatever opens a URL on this system; that there is none is no fault. */
function openBrowser(url: string): void {
  const [program, ...args] = { darwin: ["open"], win32: ["cmd", "/c", "start", ""] }[
    process.platform as string
  ] ?? ["xdg-open"];
  const child = spawn(program!, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
