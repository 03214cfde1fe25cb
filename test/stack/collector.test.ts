import { describe, expect, it } from "vitest";
import { read } from "./compose.js";

const config = read("grafana/collector/collector.yml");
const pipelines = Object.entries<Record<string, string[]>>(config.service.pipelines);
const KINDS = ["receivers", "processors", "exporters"] as const;

describe("The collector's configuration", () => {
  it.for(KINDS)("has all %s that its pipelines name, and no others", (kind) => {
    const named = new Set(pipelines.flatMap(([, pipeline]) => pipeline[kind] ?? []));
    expect([...named].sort()).toEqual(Object.keys(config[kind]).sort());
  });

  it("refuses before it is out of memory, first of all", () => {
    for (const [name, { processors }] of pipelines) expect(processors?.[0], name).toBe("memory_limiter");
  });

  it("takes spans to Tempo", () => {
    expect(config.service.pipelines.traces.exporters).toEqual(["otlp_grpc/tempo"]);
  });

  it("takes no metrics: Prometheus has them from the services", () => {
    expect(Object.keys(config.service.pipelines)).toEqual(["traces", "logs"]);
  });
});
