// A collector on loopback: takes OTLP over HTTP, in JSON.
import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";

/** A server that hands each request, with its body, to `take`, and answers what that gives. */
export async function serve(take) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks);
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
      const answer = take(request, body) ?? {};
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}

export class Receiver {
  spans = [];
  /** The newest data points of each metric, by its name. */
  metrics = new Map();

  static async start() {
    const receiver = new Receiver();
    receiver.url = await serve((_request, body) => receiver.#take(JSON.parse(body.toString())));
    return receiver;
  }

  /** What tells an SDK to send everything here. */
  get env() {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: this.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "200",
    };
  }

  named(name) {
    return this.spans.filter((span) => span.name === name);
  }

  #take({ resourceSpans = [], resourceMetrics = [] }) {
    for (const { scopeSpans } of resourceSpans) {
      for (const { spans } of scopeSpans) {
        this.spans.push(
          ...spans.map((span) => ({
            ...span,
            attributes: Object.fromEntries(
              (span.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]),
            ),
          })),
        );
      }
    }
    for (const { scopeMetrics } of resourceMetrics) {
      for (const { metrics } of scopeMetrics) {
        for (const { name, sum, gauge, histogram } of metrics) {
          this.metrics.set(name, (sum ?? gauge ?? histogram)?.dataPoints ?? []);
        }
      }
    }
  }
}
