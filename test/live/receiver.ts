import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Lifetime } from "./server.js";

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

/** A message, as Alertmanager sends it: all alerts of a group that it has to tell of. */
interface Message {
  readonly receiver: string;
  readonly groupKey: string;
  readonly alerts: readonly Pick<Notice, "status" | "labels" | "annotations">[];
}

/** The receiver of Alertmanager's messages: keeps every alert of every message. */
export class Receiver {
  readonly notices: Notice[] = [];
  /** The last message on each group. */
  private readonly groups = new Map<string, readonly Notice[]>();

  private constructor(readonly url: string) {}

  static async start(lifetime: Lifetime): Promise<Receiver> {
    const server = createServer(async (request, response) => {
      started.take(JSON.parse(await text(request)));
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

  private take({ receiver, groupKey, alerts }: Message): void {
    const at = performance.now();
    const notices = alerts.map(({ status, labels, annotations }) => ({
      at,
      status,
      labels,
      annotations,
      receiver,
    }));
    this.notices.push(...notices);
    this.groups.set(`${receiver} ${groupKey}`, notices);
  }

  /**
   * What is on as far as Alertmanager has told. An alert that was inhibited before it was over may never be called resolved; the
   * group's next message is without it.
   */
  get firing(): Notice[] {
    return [...this.groups.values()].flat().filter(({ status }) => status === "firing");
  }

  /** What was told since a moment. */
  since(at: number, status: Notice["status"]): Notice[] {
    return this.notices.filter((notice) => notice.at >= at && notice.status === status);
  }
}

/** `QueueStuck (critical, queue orders)`. */
export function inWords({ labels }: Pick<Notice, "labels">): string {
  const { alertname, severity, queue_name, queue_tier } = labels;
  const where = [queue_name && `queue ${queue_name}`, queue_tier && `tier ${queue_tier}`];
  return `${alertname} (${[severity, ...where.filter(Boolean)].join(", ")})`;
}
