import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { onTestFinished } from "vitest";

export interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly links?: { traceId: string; spanId: string }[];
  readonly attributes: { key: string; value: Record<string, unknown> }[];
}

/** A collector of spans, by OTLP over HTTP in JSON. */
export class OtlpReceiver {
  readonly spans: Span[] = [];
  private readonly arrivals = new EventEmitter();
  private port = 0;

  static async listen(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    const server = createServer(async (request, response) => {
      const body = (await json(request)) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
      response.setHeader("content-type", "application/json").end("{}");
      if (request.url !== "/v1/traces") return;
      for (const { scopeSpans } of body.resourceSpans) {
        for (const { spans } of scopeSpans) receiver.spans.push(...spans);
      }
      receiver.arrivals.emit("spans");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    receiver.port = (server.address() as AddressInfo).port;
    return receiver;
  }

  /** What tells an SDK to send its spans here, soon. */
  get env(): Record<string, string> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    };
  }

  /** Resolves with the spans of the name as soon as there are so many. */
  async named(name: string, count: number): Promise<Span[]> {
    for (;;) {
      const found = this.spans.filter((span) => span.name === name);
      if (found.length >= count) return found;
      await once(this.arrivals, "spans");
    }
  }
}

export function attribute(span: Span, key: string): unknown {
  const value = span.attributes.find((each) => each.key === key)?.value;
  return value === undefined ? undefined : Object.values(value)[0];
}
