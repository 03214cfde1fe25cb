const assert = require("node:assert/strict");
const { join } = require("node:path");
const { inThreads } = require("queuescope/threads");

inThreads(join(__dirname, "in-thread.mjs"))(21, { correlationId: "a-request" }).then((answer) =>
  assert.equal(answer, "42 for a-request"),
);
