import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

interface Alert {
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Where Alertmanager tells us of alerts, instead of whomever it would wake up. */
export interface Notices {
  readonly url: string;
  close(): void;
}

/** Every alert that arrives is given to `tell`, as a line. */
export async function takeNotices(tell: (line: string) => void): Promise<Notices> {
  const server = createServer(async (request, response) => {
    try {
      const { alerts } = JSON.parse(await text(request)) as { alerts: Alert[] };
      response.end();
      for (const alert of alerts) tell(inWords(alert));
    } catch (error) {
      response.writeHead(400).end(String(error));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** `FIRING    critical  QueueNoConsumer  No consumer takes items from orders` */
function inWords({ status, labels, annotations }: Alert): string {
  const { alertname = "?", severity = "" } = labels;
  return [
    status.toUpperCase().padEnd(8),
    severity.padEnd(8),
    alertname,
    annotations.summary ?? JSON.stringify(labels),
  ].join("  ");
}
