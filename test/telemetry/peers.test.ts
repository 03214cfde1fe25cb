import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { installCommand, loadPeers } from "../../src/telemetry/sdk/peers.js";

const README = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const USUAL = ["@opentelemetry/sdk-node", "@opentelemetry/sdk-trace", "@opentelemetry/exporter-prometheus"];

it.each([
  ["20.19.0", "@opentelemetry/api@1.9"],
  ["22.14.0", "@opentelemetry/api@1.9"],
  ["22.15.0", "@opentelemetry/api"],
  ["24.0.0", "@opentelemetry/api"],
  ["26.12.1", "@opentelemetry/api"],
])("on Node %s the command that installs the SDK's packages is that of the README, with %s", (node, api) => {
  const command = installCommand(USUAL, node);
  expect(command).toContain(`npm install ${api} `);
  expect(README.split("\n")).toContain(command);
});

it("loads no exporter that is not wanted", async () => {
  const peers = await loadPeers({ prometheus: false, otlp: "nothing" });
  expect(Object.keys(peers).sort()).toEqual(["@opentelemetry/sdk-node", "@opentelemetry/sdk-trace"]);
});
