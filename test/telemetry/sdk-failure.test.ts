import { Server } from "node:http";
import { expect, it, vi } from "vitest";
import { startTelemetry } from "../../src/telemetry/sdk/start.js";

const failure = vi.hoisted(() => ({ error: undefined as Error | undefined }));

vi.mock(import("@opentelemetry/sdk-node"), async (original) => {
  const actual = await original();
  return {
    ...actual,
    NodeSDK: class extends actual.NodeSDK {
      override start(): void {
        if (failure.error !== undefined) throw failure.error;
        super.start();
      }
    },
  };
});

it("an SDK that does not start leaves nothing listening, and another start possible", async () => {
  const listening = vi.spyOn(Server.prototype, "listen");
  failure.error = new Error("no SDK today");
  const options = { serviceName: "shop", prometheus: { port: 0 } };
  await expect(startTelemetry(options)).rejects.toBe(failure.error);
  expect(listening).toHaveBeenCalledTimes(1);
  expect((listening.mock.contexts[0] as unknown as Server).listening).toBe(false);
  failure.error = undefined;
  const { url, shutdown } = await startTelemetry(options);
  expect((await fetch(url as string)).status).toBe(200);
  await shutdown();
});
