import type { Server } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { MetricsServer } from "../../src/telemetry/sdk/metrics-server.js";

it("what goes wrong in the server of the metrics, however often, throws nowhere", async () => {
  const metrics = await MetricsServer.listen("127.0.0.1", 0, { text: async () => new Uint8Array() });
  onTestFinished(() => metrics.close());
  const { server } = metrics as unknown as { server: Server };
  for (const error of ["EMFILE", "ENFILE"]) {
    expect(() => server.emit("error", new Error(error))).not.toThrow();
  }
});
