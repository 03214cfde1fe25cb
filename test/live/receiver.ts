import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Lifetime } from "./servers.js";

/** One alert of one of Alertmanager's messages. */
export interface Notice {
  /** When it came, by `performance.now()`. */
  readonly at: number;
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Which of Alertmanager's receivers it came for. */
  readonly receiver: string;
}

/** Whoever is told by Alertmanager: keeps every alert of every message. */
export class Receiver {
  readonly notices: Notice[] = [];

  private constructor(readonly url: string) {}

  static async start(lifetime: Lifetime): Promise<Receiver> {
    const server = createServer(async (request, response) => {
      const { receiver, alerts } = JSON.parse(await text(request)) as {
        receiver: string;
        alerts: Pick<Notice, "status" | "labels" | "annotations">[];
      };
      const at = performance.now();
      for (const { status, labels, annotations } of alerts) {
        started.notices.push({ at, status, labels, annotations, receiver });
      }
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    lifetime(() => {
      server.close();
      server.closeAllConnections();
    });
    const started = new Receiver(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return started;
  }

  /** What was told since a moment. */
  since(at: number, status: Notice["status"]): Notice[] {
    return this.notices.filter((notice) => notice.at >= at && notice.status === status);
  }
}

/** `QueueStuck (critical, queue orders)`. */
export function inWords({ labels }: Notice): string {
  const { alertname, severity, queue_name, queue_tier } = labels;
  const where = [queue_name && `queue ${queue_name}`, queue_tier && `tier ${queue_tier}`];
  return `${alertname} (${[severity, ...where.filter(Boolean)].join(", ")})`;
}
