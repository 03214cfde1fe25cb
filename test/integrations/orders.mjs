// What every recipe of a web framework promises.
import assert from "node:assert/strict";

export async function post(url, body, headers = {}) {
  const response = await fetch(`${url}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.text() };
}

const hex = (n, digits) => n.toString(16).padStart(digits, "0");
/** The trace that request number `n` comes with. */
export const traceOf = (n) => hex(0xa0000 + n, 32);

/** Sends orders, each in a trace and with a correlation ID of its own, all at the same time. */
export async function sendOrders(url, count, headers = {}) {
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  const answers = await Promise.all(
    numbers.map((n) =>
      post(
        url,
        { id: `order-${n}` },
        {
          "x-correlation-id": `request-${n}`,
          "x-user": `user-${n}`,
          traceparent: `00-${traceOf(n)}-${hex(n, 16)}-01`,
          ...headers,
        },
      ),
    ),
  );
  for (const { status, body } of answers) assert.ok(status === 202 || status === 201, `${status} ${body}`);
  return numbers;
}

/** Each order was shipped once, and its log line has the correlation ID of its own request. */
export function assertShipped(app, numbers, idOf = (n) => `request-${n}`) {
  const shipped = app.logged("shipped");
  assert.equal(shipped.length, numbers.length, app.output);
  for (const n of numbers) {
    const line = shipped.find(({ order }) => order === `order-${n}`);
    assert.equal(line?.correlation_id, idOf(n), app.output);
  }
  return shipped;
}

/** Each order's spans are in the trace of the request that brought it: one from its put, and one from its handler. */
export function assertInTrace(receiver, numbers, traceFor = traceOf) {
  for (const n of numbers) {
    const inTrace = receiver.spans.filter(({ traceId }) => traceId === traceFor(n)).map(({ name }) => name);
    for (const name of ["send orders", "process orders"]) {
      assert.equal(
        inTrace.filter((found) => found === name).length,
        1,
        `${name} in the trace of request ${n}: ${inTrace}`,
      );
    }
  }
}

/** The series of queues in what a scrape gives. Counters are those of `orders`. */
export async function scrape(url) {
  const response = await fetch(url);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  /** Over all tiers; undefined where there is no such series. */
  const ofOrders = (series) => {
    const lines = text
      .split("\n")
      .filter((line) => line.startsWith(`${series}{`) && line.includes('queue_name="orders"'));
    if (lines.length === 0) return undefined;
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };
  return { text, ofOrders };
}

export async function assertScraped(url, count) {
  const { text, ofOrders } = await scrape(url);
  assert.equal(ofOrders("queue_enqueued_total"), count, text);
  assert.notEqual(ofOrders("queue_depth"), undefined);
  assert.notEqual(ofOrders("queue_wait_seconds_bucket"), undefined);
  const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  assert.deepEqual(families, [...new Set(families)], "a family is there twice");
  return text;
}
