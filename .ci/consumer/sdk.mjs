import assert from "node:assert/strict";
import { FifoQueue, instrument } from "queuescope";
import { startTelemetry } from "queuescope/sdk";

const telemetry = await startTelemetry({ serviceName: "consumer", prometheus: { port: 0 } });
const letters = instrument(new FifoQueue(), { name: "letters" });
await letters.put("a letter");
const metrics = await (await fetch(telemetry.url)).text();
await telemetry.shutdown();
assert.match(metrics, /^queue_depth\{.*queue_name="letters".*\} 1$/m);
