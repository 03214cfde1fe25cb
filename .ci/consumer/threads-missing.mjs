import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { inThreads } from "queuescope/threads";

assert.throws(() => inThreads(fileURLToPath(import.meta.url)), {
  code: "QUEUE_MISSING_PEER",
  message: /npm install piscina@5/,
});
