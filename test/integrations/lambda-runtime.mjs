// Calls the handler as AWS's runtime does: after each answer the process is frozen, until the next event comes.
import { pathToFileURL } from "node:url";

const { handler } = await import(pathToFileURL("handler.js").href);
const batches = [["order-1", "broken", "order-2"], ["order-3"]];
console.log(`runtime ${process.pid}`);
for (const [i, batch] of batches.entries()) {
  const Records = batch.map((body, n) => ({
    messageId: `message-${i + 1}-${body}`,
    body,
    messageAttributes: {
      traceparent: {
        dataType: "String",
        stringValue: `00-${(0xa0000 + (i + 1) * 100 + n).toString(16).padStart(32, "0")}-00000000000000${n + 10}-01`,
      },
    },
  }));
  const answer = await handler({ Records });
  process.stdout.write(`answer ${i + 1} ${JSON.stringify(answer)}\n`);
  process.kill(process.pid, "SIGSTOP");
}
process.exit(0);
