import assert from "node:assert/strict";

await assert.rejects(import("queuescope/threads"), { code: "ERR_MODULE_NOT_FOUND", message: /piscina/ });
