import { expect, it } from "vitest";
import { Example } from "./child.js";

it.concurrent("the supermarket tells the same story every time", async () => {
  const supermarket = Example.run("supermarket.ts");
  expect(await supermarket.exited).toEqual({ code: 0, signal: null });
  expect(`\n${supermarket.output}\n`).toBe(`
  0.0 s  customer 1 stands in line
  0.0 s  Ann checks out customer 1: sausages, diapers, bananas, bananas
  0.1 s  customer 2 stands in line
  0.1 s  Bob checks out customer 2: beer, bananas, diapers
  0.2 s  customer 3 stands in line
  0.2 s  Cem checks out customer 3: sausages, bananas, beer
  0.4 s  customer 4 stands in line
  1.1 s  customer 5 stands in line
  1.4 s  Ann is done with customer 1
  1.4 s  Ann checks out customer 4: beer, diapers
  1.7 s  customer 6 stands in line
  2.3 s  customer 7 waits for room in line
  2.8 s  Bob is done with customer 2
  2.8 s  customer 7 stands in line
  2.8 s  Bob checks out customer 5: beer
  2.9 s  Cem is done with customer 3
  2.9 s  Cem checks out customer 6: bananas, sausages, sausages
  3.3 s  customer 8 stands in line
  3.3 s  customer 9 waits for room in line
  3.6 s  Ann is done with customer 4
  3.6 s  customer 9 stands in line
  3.6 s  Ann checks out customer 7: bananas, bananas
  3.8 s  customer 10 waits for room in line
  3.8 s  Cem is done with customer 6
  3.8 s  customer 10 stands in line
  3.8 s  Cem checks out customer 8: diapers, bananas, diapers, sausages
  3.9 s  the doors close
  4.6 s  Ann is done with customer 7
  4.6 s  Ann checks out customer 9: diapers, diapers, diapers
  4.8 s  Bob is done with customer 5
  4.8 s  Bob checks out customer 10: bananas, diapers
  4.9 s  Cem is done with customer 8
  4.9 s  Cem goes home
  5.2 s  Ann is done with customer 9
  5.2 s  Ann goes home
  5.5 s  Bob is done with customer 10
  5.5 s  Bob goes home
  5.5 s  all are served
`);
});

it.concurrent("a home-made queue has spans and metrics once its methods are named", async () => {
  const wrap = Example.run("wrap-anything.ts");
  expect(await wrap.exited).toEqual({ code: 0, signal: null });
  expect(wrap.output).toContain(`Spans, and what they link to:
  send tickets     visitor-1
  send tickets     visitor-2
  send tickets     visitor-3
  receive tickets  visitor-1  → send tickets
  receive tickets  visitor-2  → send tickets
  open the counter
`);
  expect(wrap.lines).toEqual(
    expect.arrayContaining([
      "  queue.depth: 1",
      expect.stringMatching(/^ {2}queue\.oldest\.age\.seconds: 0\.\d+$/),
      "  queue.wait.seconds: 2 measured",
      "  queue.enqueued: 3",
      "  queue.dequeued: 2",
    ]),
  );
});

it.concurrent("every task in p-queue, fastq and async knows the request that it belongs to", async () => {
  const wrap = Example.run("wrap-known-queues.ts");
  expect(await wrap.exited).toEqual({ code: 0, signal: null });
  expect(wrap.output).toBe(`thumbnail made for request-of-ann
picture resized for request-of-ann
mail sent for request-of-ann
thumbnail made for request-of-bob
picture resized for request-of-bob
mail sent for request-of-bob
thumbnail made for request-of-cem
picture resized for request-of-cem
mail sent for request-of-cem

queue       tier     put  taken  within SLA
thumbnails  default  2    2      -
thumbnails  urgent   1    1      -
pictures    default  3    3      -
mails       default  2    2      2
mails       1        1    1      1`);
});

it.concurrent("an adapter of one's own shows who waits for a semaphore", async () => {
  const semaphore = Example.run("own-adapter/main.ts");
  expect(await semaphore.exited).toEqual({ code: 0, signal: null });
  const [before, after] = semaphore.output.split("All have had theirs:");
  for (const line of ["queue.depth default: 3", "queue.depth 5: 1", "queue.inflight : 2"]) {
    expect(before).toContain(`  ${line}\n`);
    expect(after).not.toContain(line);
  }
  for (const line of [
    "queue.wait.seconds default: 5 measured",
    "queue.completed success: 5",
    "queue.completed failure: 1",
    "queue.overtakes default: 3",
  ]) {
    expect(after).toContain(`  ${line}`);
  }
});

it.concurrent("an adapter of one's own passes the conformance suite, with node:test", async () => {
  const suite = Example.run("own-adapter/semaphore.test.ts");
  expect(await suite.exited).toEqual({ code: 0, signal: null });
  expect(suite.output).toMatch(/pass \d{2}\n.*fail 0/);
});

it.concurrent("what fails comes back or is put aside, and nothing is lost", async () => {
  const retry = Example.run("retry-and-dead-letter.ts");
  expect(await retry.exited).toEqual({ code: 0, signal: null });
  expect(retry.output).toBe(`delivered to ann@up.example, attempt 1
bob@down.example: attempt 1 failed (no answer): retry
nowhere: attempt 1 failed ("nowhere" is no address): dead-letter
bob@down.example: attempt 2 failed (no answer): retry
bob@down.example: attempt 3 failed (no answer): dead-letter
dead letters: 2
delivered to bob@down.example, attempt 1
at the end: 1 more delivered, 0 left over`);
});

it.concurrent("two pools spare their downstream, and wait while it is down", async () => {
  const gated = Example.run("gated-downstream.ts");
  expect(await gated.exited).toEqual({ code: 0, signal: null });
  expect(gated.output).toBe(`12 orders done, at most 2 calls at a time
the breaker is open
a worker waits; breaker open: true
the breaker is halfopen
the breaker is closed
2 pools drained, 0 orders lost`);
});

it.concurrent("aging lets everything have its turn", async () => {
  const starvation = Example.run("priority-starvation.ts");
  expect(await starvation.exited).toEqual({ code: 0, signal: null });
  expect(starvation.output).toBe(`strict priorities: the batch item is served as number 11 of 11
agingMs: 100:      the batch item is served as number 6 of 11`);
});

it.concurrent("told to stop, a pool finishes what it can, says what it can't, and exits", async () => {
  const graceful = Example.run("graceful-shutdown.ts");
  expect(await graceful.exited).toEqual({ code: 1, signal: null });
  expect(graceful.output).toBe(`SIGTERM
done 5, left over 0
abandoned: the parcel of Ann, "carry the parcel"
telemetry is sent`);
});

it.concurrent("a pod's process answers its probes, is scraped, and ends by SIGTERM when its work is done", async () => {
  const worker = Example.run("kubernetes.ts", [], { HOST: "127.0.0.1", PORT: "0", METRICS_PORT: "0" });
  const [, port, metrics] = await worker.line(/^port (\d+), metrics at (\S+)/);
  const ask = async (path: string, method = "GET") => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return `${response.status} ${await response.text()}`;
  };
  expect(await ask("/ready")).toBe('200 {"ok":true,"reasons":[]}');
  expect(await ask("/live")).toBe("200 ");
  expect(await (await fetch(metrics!)).text()).toContain('queue_depth{queue_name="orders"');
  expect(await ask("/orders", "POST")).toBe("202 ");
  worker.kill("SIGTERM");
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(worker.output).toMatch(/drain finished after .* 0 left over, 0 abandoned/);
});
