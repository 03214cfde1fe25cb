import { errorLine } from "../base/error-text.js";
import { processWide } from "../base/process-wide.js";
import { warnThat } from "../base/warning.js";
import { Door } from "./http/door.js";
import { useHub } from "./hub/shared.js";
import { Actions } from "./local/actions.js";
import { LocalView } from "./local/local-view.js";
import { type InspectOptions, type InspectSettings, readInspectOptions } from "./options.js";
import { SocketServer } from "./sockets/socket-server.js";

/** How often it is looked whether the socket is still there, in milliseconds. */
const LOOK_EVERY_MS = 10_000;

/** That the process can be looked into. */
export interface Inspection {
  /** Where the socket is, once there is one; undefined where there can be none, which was told by a warning. Never rejects. */
  readonly ready: Promise<string | undefined>;
  /** Ends it. Can be called again. */
  close(): Promise<void>;
}

/**
 * Makes the process visible to `npx queuescope` of the same user on the same machine: by a unix socket in a folder of the user's own, without a port. While
 * nothing looks, it keeps some numbers of each queue and second, for ten minutes and in at most a megabyte. It holds no process alive; where there can be no
 * socket, a warning says why. The environment variable `QUEUESCOPE_INSPECT=1` does the same without a line of code. What the last call
 * says counts. Throws an `InvalidOption…Error` for a bad option.
 *
 * @example
 * import { inspect } from "queuescope/inspect";
 *
 * const inspection = inspect({ name: "orders" });
 * await inspection.close();
 */
export function inspect(options?: InspectOptions): Inspection {
  return open(readInspectOptions(options));
}

const { inspection } = processWide;

function open(settings: InspectSettings): Inspection {
  const before = inspection.socket;
  const opened = new OpenSocket(settings, before?.close() ?? DONE);
  inspection.socket = opened;
  return {
    ready: opened.ready,
    close: () => {
      if (inspection.socket === opened) inspection.socket = undefined;
      return opened.close();
    },
  };
}

const DONE = Promise.resolve();

class OpenSocket {
  readonly ready: Promise<string | undefined>;
  private readonly ends: (() => void)[] = [];
  private readonly door: Door;
  private readonly server: SocketServer;
  private closing: Promise<void> | undefined;

  constructor(
    { name, payload, redact, actions, traceUrl, maxClients }: InspectSettings,
    before: Promise<void>,
  ) {
    const { hub, release } = useHub(name);
    this.ends.push(release);
    if (redact !== undefined) this.ends.push(hub.addRedactor(redact));
    const view = new LocalView(hub, payload, actions === undefined ? undefined : new Actions(hub));
    this.door = new Door(view, {
      basePath: "",
      allowsHost: undefined,
      auth: undefined,
      actions,
      traceUrl,
      maxClients,
      hasPage: false,
    });
    this.server = new SocketServer(this.door, () => hub.process.info);
    this.ready = before.then(() => this.listen());
    this.ends.push(hub.every(LOOK_EVERY_MS, () => void this.look()));
  }

  /** Can be called again. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    for (const end of this.ends) end();
    await this.ready;
    this.door.close("the process is no longer to be looked into");
    await this.server.close();
  }

  private async listen(): Promise<string | undefined> {
    if (this.closing !== undefined) return undefined;
    try {
      await this.server.open();
      return this.server.path;
    } catch (error) {
      warnThat(`queuescope: this process can't be looked into: ${errorLine(error)}`);
      return undefined;
    }
  }

  /** Where the socket was taken away, there is to be another one. */
  private async look(): Promise<void> {
    if (!this.server.isLost || this.closing !== undefined) return;
    await this.server.close();
    await this.listen();
  }
}
