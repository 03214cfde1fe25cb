const assert = require("node:assert/strict");
const { startTelemetry } = require("queuescope/sdk");

startTelemetry({ serviceName: "consumer", prometheus: { port: 0 } }).then(async (telemetry) => {
  assert.match(telemetry.url, /^http:\/\/127\.0\.0\.1:/);
  await telemetry.shutdown();
});
