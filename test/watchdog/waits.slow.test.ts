import { spawn } from "node:child_process";
import { once } from "node:events";
import http, { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import PQueue from "p-queue";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { instrument } from "../../src/adapters/instrument.js";
import type { Delivery } from "../../src/queue/delivery.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { activeTaskMonitor } from "../../src/telemetry/context/active-task-monitor.js";
import { withCorrelationId } from "../../src/telemetry/context/correlation.js";
import type { Wait } from "../../src/waits/wait.js";
import { waitFor } from "../../src/waits/wait-for.js";
import { Waits } from "../../src/waits/waits.js";
import { signal } from "../support/telemetry-capture.js";

const NODE = Number(process.versions.node.split(".")[0]);

let waits: Waits;
let server: Server;
let host: string;
/** Requests whose answers the server holds, by path. */
let held: Map<string, { request: IncomingMessage; response: ServerResponse }>;
let onHeld: () => void;
let count = 0;

beforeEach(async () => {
  waits = new Waits();
  waits.start();
  held = new Map();
  onHeld = () => {};
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://localhost");
    if (pathname.startsWith("/hold")) {
      held.set(pathname, { request, response });
      onHeld();
    } else if (pathname === "/moved") response.writeHead(302, { location: "/hold/moved" }).end();
    else if (pathname === "/broken") {
      response.write("half");
      response.socket!.end();
    } else response.end("here it is");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  waits.stop();
  server.closeAllConnections();
  server.close();
});

/** Runs the handler as that of an item. Its result, and what the handler's context stands for. */
async function task<R>(
  handler: () => R,
  queue = instrument(new FifoQueue<string>(), { name: `w-${count++}` }),
) {
  await queue.put("item");
  const delivery = await queue.receive();
  return { delivery, result: delivery.run(handler) };
}

async function untilHeld(path: string) {
  while (!held.has(path)) {
    const next = signal();
    onHeld = () => next.give();
    await next.promise;
  }
  return held.get(path)!;
}

function inWords(delivery: Delivery<string> | object): string[] {
  return waits
    .of(delivery)
    .map(({ kind, label, state }: Wait) => `${kind}: ${label}${state ? `, ${state}` : ""}`);
}

/** Until it holds; each turn of the loop is a chance for what was signalled. */
async function eventually(check: () => void): Promise<void> {
  for (let turn = 0; ; turn++) {
    try {
      check();
      return;
    } catch (error) {
      if (turn === 2_000) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe("what a task waits for", () => {
  it("is a fetch, from connecting to reading the body", async () => {
    const { delivery, result } = await task(async () => {
      const response = await fetch(`http://${host}/hold/charges?card=4242`, { method: "POST", body: "x" });
      return await response.text();
    });
    expect(inWords(delivery)[0]).toMatch(
      /^http: POST .*\/hold\/charges, (waiting for a connection|connecting)$/,
    );
    const { response } = await untilHeld("/hold/charges");
    await eventually(() =>
      expect(inWords(delivery)).toEqual([`http: POST ${host}/hold/charges, sent, waiting for headers`]),
    );
    response.write("some");
    await eventually(() =>
      expect(inWords(delivery)).toEqual([`http: POST ${host}/hold/charges, reading the body`]),
    );
    response.end("thing");
    expect(await result).toBe("something");
    expect(waits.of(delivery)).toEqual([]);
  });

  it("is what a redirect led to", async () => {
    const { delivery, result } = await task(() => fetch(`http://${host}/moved`));
    const { response } = await untilHeld("/hold/moved");
    await eventually(() =>
      expect(inWords(delivery)).toEqual([`http: GET ${host}/hold/moved, sent, waiting for headers`]),
    );
    response.end();
    await (await result).text();
    await eventually(() => expect(waits.of(delivery)).toEqual([]));
  });

  it("is a request by node:http", async () => {
    const { delivery, result } = await task(
      () =>
        new Promise<string>((resolve, reject) => {
          const request = http.get(`http://${host}/hold/report?token=secret`, (response) => {
            response.on("end", () => resolve("read")).resume();
          });
          request.on("error", reject);
        }),
    );
    const { response } = await untilHeld("/hold/report");
    expect(inWords(delivery)).toEqual([`http: GET ${host}/hold/report, sent, waiting for headers`]);
    response.write("some");
    await eventually(() =>
      expect(inWords(delivery)).toEqual([`http: GET ${host}/hold/report, reading the body`]),
    );
    response.end("thing");
    expect(await result).toBe("read");
    await eventually(() => expect(waits.of(delivery)).toEqual([]));
  });

  it("is a free connection, where the agent has no more", async () => {
    const agent = new http.Agent({ maxSockets: 1, keepAlive: true });
    const get = (path: string) => () =>
      new Promise((resolve) => {
        http.get(`http://${host}${path}`, { agent }, (response) => response.on("end", resolve).resume());
      });
    const first = await task(get("/hold/1"));
    const second = await task(get("/hold/2"));
    await untilHeld("/hold/1");
    const queued = NODE < 22 ? [] : [`http: GET ${host}/hold/2, waiting for a connection`];
    expect(inWords(second.delivery)).toEqual(queued);
    held.get("/hold/1")!.response.end();
    await first.result;
    await untilHeld("/hold/2");
    expect(inWords(second.delivery)).toEqual([`http: GET ${host}/hold/2, sent, waiting for headers`]);
    held.get("/hold/2")!.response.end();
    await second.result;
    // The connection is kept, and no wait.
    await eventually(() => expect([...inWords(first.delivery), ...inWords(second.delivery)]).toEqual([]));
    agent.destroy();
  });

  it.skipIf(NODE < 24)("is a stream of http2", async () => {
    const streams = signal<http2.ServerHttp2Stream>();
    const h2 = http2.createServer().on("stream", (stream) => streams.give(stream));
    h2.listen(0, "127.0.0.1");
    await once(h2, "listening");
    const session = http2.connect(`http://127.0.0.1:${(h2.address() as AddressInfo).port}`);
    const { delivery, result } = await task(async () => {
      const stream = session.request({ ":path": "/orders?key=1" }).resume();
      await once(stream, "close");
    });
    const stream = await streams.promise;
    await eventually(() => expect(inWords(delivery).at(-1)).toMatch(/\/orders, sent, waiting for headers$/));
    stream.respond();
    stream.end();
    await result;
    await eventually(() => expect(inWords(delivery).filter((wait) => wait.startsWith("http"))).toEqual([]));
    session.close();
    h2.close();
  });

  it("is a connection of its own", async () => {
    const quiet = net.createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
    await once(quiet, "listening");
    const { port } = quiet.address() as AddressInfo;
    let socket!: net.Socket;
    const { delivery, result } = await task(async () => {
      socket = net.connect(port, "127.0.0.1");
      socket.write("hello");
      await once(socket, "close");
    });
    expect(inWords(delivery)[0]).toMatch(/^socket: .*, connecting$/);
    await eventually(() =>
      expect(inWords(delivery)).toEqual([`socket: 127.0.0.1:${port}, open, 5 bytes sent, 0 received`]),
    );
    socket.destroy();
    await result;
    await eventually(() => expect(inWords(delivery)).toEqual([]));
    quiet.close();
  });

  it("may be an answer to what it sent over a connection that was open before, but need not: a log gives none", async () => {
    const log = net.createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
    await once(log, "listening");
    const { port } = log.address() as AddressInfo;
    const socket = net.connect(port, "127.0.0.1");
    await once(socket, "connect");
    const never = new Promise(() => {});
    const { delivery } = await task(() => {
      socket.write("hello");
      return never;
    });
    const sent = `sent: 5 bytes to 127.0.0.1:${port}, nothing has come back since`;
    expect(inWords(delivery)).toEqual([sent]);
    const other = await task(() => {
      socket.write("hello");
      return waitFor("reply", never);
    });
    expect(inWords(other.delivery)).toEqual(["label: reply"]);
    socket.destroy();
    expect(inWords(delivery)).toEqual([]);
    log.close();
  });

  it("is a process, without its arguments", async () => {
    const child = signal<ReturnType<typeof spawn>>();
    const { delivery, result } = await task(async () => {
      const started = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "--password=secret"]);
      child.give(started);
      await once(started, "exit");
    });
    const started = await child.promise;
    expect(inWords(delivery)).toEqual([`process: process node, pid ${started.pid}`]);
    started.kill("SIGKILL");
    await result;
    expect(inWords(delivery)).toEqual([]);
  });

  it("is forgotten for a process that can't be started", async () => {
    const { delivery, result } = await task(async () => {
      const child = spawn("/nowhere/to/be/found");
      await once(child, "error");
    });
    await expect(result).resolves.toBeUndefined();
    await eventually(() => expect(inWords(delivery)).toEqual([]));
  });

  it("is known for tasks of wrapped queues, and where a task has another correlation ID", async () => {
    const queue = instrument(new PQueue({ concurrency: 1 }), { name: `w-${count++}` });
    let store: object | undefined;
    const { current } = activeTaskMonitor;
    activeTaskMonitor.current = {
      ...current!,
      begin: (facts, carrier) => {
        store = facts;
        return current!.begin(facts, carrier);
      },
    };
    const done = queue.add(() => withCorrelationId("another", () => fetch(`http://${host}/hold/wrapped`)));
    const { response } = await untilHeld("/hold/wrapped");
    activeTaskMonitor.current = current;
    await eventually(() =>
      expect(inWords(store!)).toEqual([`http: GET ${host}/hold/wrapped, sent, waiting for headers`]),
    );
    response.end();
    await (await done)!.text();
  });

  it("belongs to the task that waits, not to others", async () => {
    const one = await task(() => fetch(`http://${host}/hold/one`));
    const two = await task(() => fetch(`http://${host}/hold/two`));
    await untilHeld("/hold/one");
    await untilHeld("/hold/two");
    await eventually(() =>
      expect(inWords(one.delivery)).toEqual([expect.stringContaining("/hold/one, sent")]),
    );
    await eventually(() =>
      expect(inWords(two.delivery)).toEqual([expect.stringContaining("/hold/two, sent")]),
    );
    for (const { response } of held.values()) response.end();
    for (const { result } of [one, two]) await (await result).text();
  });
});

describe("nothing is left of what has ended", () => {
  it("after 10,000 requests that went well, were aborted, redirected, broken or refused", async () => {
    const refused = net.createServer().listen(0, "127.0.0.1");
    await once(refused, "listening");
    const { port } = refused.address() as AddressInfo;
    refused.close();
    await once(refused, "close");
    let failed = 0;
    const kinds: (() => Promise<unknown>)[] = [
      async () => (await fetch(`http://${host}/fine`)).text(),
      async () => (await fetch(`http://${host}/fine`)).body!.cancel(),
      () => fetch(`http://127.0.0.1:${port}/`),
      async () => (await fetch(`http://${host}/broken`)).text(),
      () => {
        const abort = new AbortController();
        setImmediate(() => abort.abort());
        return fetch(`http://${host}/hold/abort`, { signal: abort.signal });
      },
      async () => {
        const abort = new AbortController();
        const response = await fetch(`http://${host}/broken`, { signal: abort.signal });
        abort.abort();
        return response.text();
      },
      () =>
        new Promise((resolve, reject) => {
          http
            .get(`http://${host}/fine`, (response) => response.on("end", resolve).resume())
            .on("error", reject);
        }),
      () =>
        new Promise((_, reject) => {
          http.get(`http://${host}/hold/destroyed`).on("error", reject).destroy();
        }),
      () =>
        new Promise((_, reject) => {
          http.get(`http://127.0.0.1:${port}/`).on("error", reject);
        }),
      () =>
        new Promise((resolve, reject) => {
          http
            .get(`http://${host}/broken`, (response) =>
              response
                .on("close", resolve)
                .on("error", () => {})
                .resume(),
            )
            .on("error", reject);
        }),
    ];
    const { delivery, result } = await task(async () => {
      for (let round = 0; round < 100; round++) {
        const started = kinds.flatMap((kind) => Array.from({ length: 10 }, kind));
        const results = await Promise.allSettled(started);
        failed += results.filter(({ status }) => status === "rejected").length;
      }
    });
    await result;
    expect(failed).toBeGreaterThan(3_000);
    await eventually(() => expect(inWords(delivery)).toEqual([]));
  });

  it("once no watchdog runs any more, and nothing is noted before", async () => {
    waits.stop();
    waits.stop();
    expect(activeTaskMonitor.current).toBeUndefined();
    const { delivery, result } = await task(() => fetch(`http://${host}/hold/unseen`));
    const { response } = await untilHeld("/hold/unseen");
    expect(inWords(delivery)).toEqual([]);
    expect(waits.neverResumes(delivery)).toBeUndefined();
    response.end();
    await (await result).text();
  });

  it("goes on as long as one of two looks on", () => {
    const other = new Waits();
    other.start();
    other.start();
    waits.stop();
    expect(activeTaskMonitor.current).toBeDefined();
    other.stop();
    expect(activeTaskMonitor.current).toBeUndefined();
  });
});

describe("waitFor", () => {
  it("names what a task waits for until that is there, and gives it", async () => {
    const lock = signal<string>();
    const { delivery, result } = await task(() => waitFor("lock on order 7", lock.promise));
    expect(inWords(delivery)).toEqual(["label: lock on order 7"]);
    lock.give("mine");
    expect(await result).toBe("mine");
    expect(inWords(delivery)).toEqual([]);
  });

  it("rejects with the same error, once", async () => {
    const unhandled: unknown[] = [];
    const listener = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listener);
    const error = new Error("no lock");
    const { delivery, result } = await task(() => waitFor("lock", Promise.reject(error)));
    await expect(result).rejects.toBe(error);
    expect(inWords(delivery)).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listener);
    expect(unhandled).toEqual([]);
  });

  it("does nothing outside of a task: the promise is the same", () => {
    const promise = Promise.resolve(1);
    expect(waitFor("nothing", promise)).toBe(promise);
  });

  it("takes values and thenables", async () => {
    // biome-ignore lint/suspicious/noThenProperty: a thenable
    const thenable: PromiseLike<string> = { then: (fulfilled) => Promise.resolve("late").then(fulfilled) };
    const { result } = await task(async () => [await waitFor("a", 1), await waitFor("b", thenable)]);
    expect(await result).toEqual([1, "late"]);
  });

  it("refuses a label that is no string", async () => {
    await expect(waitFor(7 as never, Promise.resolve())).rejects.toMatchObject({
      name: "InvalidOptionTypeError",
    });
  });
});

describe("stacks", () => {
  it("show where an item was put and where a wait began, for one in so many", async () => {
    waits.stop();
    waits = new Waits(1);
    waits.start();
    const lock = signal();
    const queue = instrument(new FifoQueue<string>(), { name: `w-${count++}` });
    async function placeOrder() {
      await queue.put("item");
    }
    await placeOrder();
    const delivery = await queue.receive();
    const result = delivery.run(async function chargeCard() {
      await waitFor("lock", lock.promise);
    });
    const put = waits.putAt(delivery)!;
    expect(put[0]).toMatchObject({ name: "placeOrder", file: import.meta.filename });
    expect(waits.of(delivery)[0]!.stack![0]).toMatchObject({
      name: "chargeCard",
      file: import.meta.filename,
    });
    lock.give();
    await result;
  });

  it("are of puts as well as of waits, where the two take turns", async () => {
    waits.stop();
    waits = new Waits(2);
    waits.start();
    const queue = instrument(new FifoQueue<string>(), { name: `w-${count++}` });
    const seen = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const lock = signal();
      await queue.put("item");
      const delivery = await queue.receive();
      const result = delivery.run(() => waitFor("lock", lock.promise));
      if (waits.putAt(delivery) !== undefined) seen.add("put");
      if (waits.of(delivery)[0]!.stack !== undefined) seen.add("wait");
      lock.give();
      await result;
    }
    expect([...seen].sort()).toEqual(["put", "wait"]);
  });

  it("are not taken unless asked for", async () => {
    const lock = signal();
    const { delivery, result } = await task(() => waitFor("lock", lock.promise));
    expect(waits.putAt(delivery)).toBeUndefined();
    expect(waits.of(delivery)[0]!.stack).toBeUndefined();
    lock.give();
    await result;
  });
});
