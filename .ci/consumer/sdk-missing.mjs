import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { MissingPeerError, startTelemetry } from "queuescope/sdk";

// What the README says for this version of Node.
const [major, minor] = process.versions.node.split(".").map(Number);
const api = major > 22 || (major === 22 && minor >= 15) ? "@opentelemetry/api" : "@opentelemetry/api@1.9";
const command = `npm install ${api} @opentelemetry/sdk-node @opentelemetry/sdk-trace @opentelemetry/exporter-prometheus`;

const required = createRequire(import.meta.url)("queuescope/sdk").startTelemetry;
for (const start of [startTelemetry, required]) {
  await assert.rejects(start({ serviceName: "consumer" }), (error) => {
    assert.ok(error instanceof MissingPeerError);
    assert.equal(error.command, command);
    assert.ok(error.message.includes(command));
    return true;
  });
}
