import assert from "node:assert/strict";

await assert.rejects(import("queuescope/sdk"), { code: "ERR_MODULE_NOT_FOUND", message: /@opentelemetry\// });
