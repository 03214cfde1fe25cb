import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

interface OtlpMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { dataPoints: { asDouble?: number; asInt?: number }[]; isMonotonic: boolean };
  readonly gauge?: { dataPoints: { asDouble?: number }[] };
  readonly histogram?: { dataPoints: { count: number | string; explicitBounds: number[] }[] };
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

/** Takes what an exporter sends by OTLP over HTTP in JSON, as a collector does. */
export class OtlpReceiver {
  readonly spans: OtlpSpan[] = [];
  readonly metrics: OtlpMetric[] = [];
  readonly paths: string[] = [];
  readonly services = new Set<string>();
  /** Each `service.instance.id`. */
  readonly instances = new Set<string>();
  /** What it answers; 400 is what an exporter does not try again. */
  status = 200;
  /** What it waits for before it takes anything: a collector that is slow. */
  pause: Promise<void> | undefined;

  private constructor(
    private readonly server: Server,
    readonly endpoint: string,
  ) {}

  static async start(): Promise<OtlpReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const receiver = new OtlpReceiver(server, `http://127.0.0.1:${port}`);
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", async () => {
        await receiver.pause;
        // Who has hung up meanwhile has given up, and would send it again or not at all.
        if (response.destroyed) return;
        receiver.take(request.url ?? "", JSON.parse(Buffer.concat(chunks).toString()));
        response.writeHead(receiver.status, { "content-type": "application/json" }).end("{}");
      });
    });
    return receiver;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  // biome-ignore lint/suspicious/noExplicitAny: JSON from outside
  private take(path: string, body: any): void {
    this.paths.push(path);
    const resources = body.resourceSpans ?? body.resourceMetrics ?? [];
    for (const { resource, scopeSpans, scopeMetrics } of resources) {
      const attributes = new Map(
        (resource.attributes as OtlpAttribute[]).map(({ key, value }) => [key, value.stringValue ?? ""]),
      );
      this.services.add(attributes.get("service.name") ?? "");
      this.instances.add(attributes.get("service.instance.id") ?? "");
      for (const { spans } of scopeSpans ?? []) this.spans.push(...spans);
      for (const { metrics } of scopeMetrics ?? []) this.metrics.push(...metrics);
    }
  }
}
