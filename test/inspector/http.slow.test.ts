import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { instrument, uninstrument } from "../../src/adapters/instrument.js";
import type { ActionAnswer, ActionRecord, Hello, Snapshot } from "../../src/inspector/protocol.js";
import {
  type InspectorHandler,
  type InspectorServer,
  inspectorHandler,
  serveInspector,
} from "../../src/inspector/serve.js";
import { FifoQueue } from "../../src/queue/fifo-queue.js";
import { WorkerPool } from "../../src/worker/pool.js";
import { ask, Events, json, raw } from "./client.js";

const TOKEN = "0123456789abcdef";

let inspectors: InspectorServer[] = [];
let handlers: InspectorHandler[] = [];
let servers: Server[] = [];
let queues: object[] = [];
let names = 0;

afterEach(async () => {
  await Promise.all([...inspectors, ...handlers].map((each) => each.close()));
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  for (const queue of queues) uninstrument(queue);
  inspectors = [];
  handlers = [];
  servers = [];
  queues = [];
});

async function served(options: Parameters<typeof serveInspector>[0] = {}): Promise<{ port: number }> {
  const inspector = await serveInspector({ port: 0, ...options });
  inspectors.push(inspector);
  return { port: Number(new URL(inspector.url).port) };
}

function pooled() {
  const name = `jobs ${++names}`;
  const queue = instrument(new FifoQueue<string>(), { name });
  queues.push(queue);
  return { name, queue, pool: new WorkerPool(queue, () => {}, { name: "workers", concurrency: 2 }) };
}

function get(path: string, headers: readonly string[]): string {
  return `GET ${path} HTTP/1.1\r\n${headers.map((each) => `${each}\r\n`).join("")}Connection: close\r\n\r\n`;
}

describe("the live view on a port", () => {
  it("answers the machine's own names, and no other", async () => {
    const { port } = await served();
    const status = async (...headers: string[]) =>
      Number((await raw({ port }, get("/api/v1/hello", headers))).slice(9, 12));
    expect(await status(`Host: 127.0.0.1:${port}`)).toBe(200);
    expect(await status(`Host: localhost:${port}`)).toBe(200);
    expect(await status("Host: evil.example")).toBe(403);
    expect(await status("Host: 127.0.0.1.evil.example")).toBe(403);
    expect(await status("Host: evil.example@127.0.0.1")).toBe(403);
  });

  it.each([
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: "http://localhost:1" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ "sec-fetch-site": "same-origin" }, 200],
    [{ "sec-fetch-site": "none" }, 200],
  ])("answers a request with %o by %i", async (headers, status) => {
    const target = await served();
    expect((await ask(target, "/api/v1/snapshot", { headers: headers as never })).status).toBe(status);
    expect((await ask(target, "/metrics", { headers: headers as never })).status).toBe(status);
  });

  it("lets its own page ask", async () => {
    const { port } = await served();
    const own = { origin: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}` };
    expect((await ask({ port }, "/api/v1/hello", { headers: own })).status).toBe(200);
  });

  it("says with each answer that nothing may be put in or around it", async () => {
    const target = await served();
    for (const path of ["/", "/api/v1/hello", "/api/v1/none", "/none.js"]) {
      const { headers } = await ask(target, path);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain("unsafe-inline");
      expect(headers["x-content-type-options"]).toBe("nosniff");
    }
  });

  it.each([
    "/../package.json",
    "/..%2fpackage.json",
    "/%2e%2e/package.json",
    "//etc/passwd",
    "/page/../index.js",
    "/.html",
  ])("has no file at %s", async (path) => {
    const { port } = await served();
    const text = await raw({ port }, get(path, [`Host: 127.0.0.1:${port}`]));
    expect(text.slice(9, 12)).toMatch(/^(308|400|404)$/);
    expect(text).not.toContain('"name"');
    expect(text).not.toMatch(/^location: (\/\/|http)/im);
  });

  it("goes on after what is no HTTP, and after clients that vanish", async () => {
    const target = await served();
    await raw(target, "\u0000\u0001\r\n\r\n");
    const socket = connect(target.port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    socket.write(get("/api/v1/events", [`Host: 127.0.0.1:${target.port}`]));
    await new Promise((resolve) => socket.once("data", resolve));
    socket.resetAndDestroy();
    expect((await ask(target, "/api/v1/hello")).status).toBe(200);
  });

  it("asks who it is, where there is auth", async () => {
    const target = await served({
      auth: async ({ headers }) => {
        if (headers["x-user"] === "boom") throw new Error("secret");
        return headers["x-user"] as string | undefined;
      },
    });
    expect((await ask(target, "/api/v1/hello")).status).toBe(401);
    expect((await ask(target, "/")).status).toBe(401);
    expect((await ask(target, "/api/v1/hello", { headers: { "x-user": "ada" } })).status).toBe(200);
    const failed = await ask(target, "/api/v1/hello", { headers: { "x-user": "boom" } });
    expect(failed.status).toBe(500);
    expect(failed.text).not.toContain("secret");
  });

  it("can be reached from elsewhere only with auth", async () => {
    await expect(serveInspector({ port: 0, host: "0.0.0.0" })).rejects.toThrow(
      'host must be 127.0.0.1, ::1 or localhost, unless auth says who is let in, not "0.0.0.0"',
    );
  });

  it("says which port is in use", async () => {
    const { port } = await served();
    await expect(serveInspector({ port })).rejects.toMatchObject({ code: "QUEUE_PORT_IN_USE", port });
  });

  it("closes with the streams that are open, and tells them", async () => {
    const target = await served();
    const events = new Events(target);
    await events.next("snapshot");
    await inspectors.pop()!.close();
    await events.next("bye");
    await events.over();
  });
});

describe("a client that doesn't read", () => {
  it("is disconnected, and the others go on", async () => {
    const many = Array.from({ length: 2_000 }, (_, i) =>
      instrument(new FifoQueue<string>(), { name: `${"x".repeat(200)} ${++names} ${i}` }),
    );
    queues.push(...many);
    const target = await served();
    const slow = connect(target.port, "127.0.0.1");
    let isClosed = false;
    const closed = new Promise<void>((resolve) => {
      slow.once("close", () => {
        isClosed = true;
        resolve();
      });
    });
    slow.on("error", () => {});
    slow.write(get("/api/v1/events", [`Host: 127.0.0.1:${target.port}`]));
    await new Promise((resolve) => slow.once("readable", resolve));
    const reader = new Events(target);
    for (let n = 0; !isClosed; n++) {
      for (const queue of many) await queue.put(`item ${n}`);
      const seen = reader.all.length;
      await Promise.race([closed, reader.next("changes", () => reader.all.length > seen)]);
      reader.all.length = 0;
      // What the kernel has taken is lost with the connection, which shows only to who reads.
      if (n > 3) slow.resume();
    }
    await closed;
    expect(reader.isOver).toBe(false);
    reader.close();
  });
});

describe("actions", () => {
  const act = (target: { port: number }, body: object, headers: Record<string, string> = {}) =>
    ask(target, "/api/v1/action", {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  const bearer = { authorization: `Bearer ${TOKEN}` };

  it("are not allowed unless they are", async () => {
    const { name, pool } = pooled();
    const target = await served();
    expect((await json<Hello>(target, "/api/v1/hello")).actions).toEqual([]);
    expect((await act(target, { action: "pause", queue: name }, bearer)).status).toBe(403);
    expect(pool.isTaking).toBe(true);
    await pool.stop();
  });

  it("pause, resume, resize and drain worker pools, and are told to all who look", async () => {
    const { name, pool } = pooled();
    const target = await served({ allowActions: { token: TOKEN } });
    const events = new Events(target);
    await events.next("snapshot");
    const done = async (body: object) => {
      const answer = await act(target, { queue: name, ...body }, bearer);
      expect(answer.status).toBe(200);
      return (JSON.parse(answer.text) as ActionAnswer).done;
    };
    expect(await done({ action: "pause" })).toMatchObject({ action: "pause", queue: name, by: "127.0.0.1" });
    expect(pool.isTaking).toBe(false);
    const { queues: rows } = await json<Snapshot>(target, "/api/v1/snapshot");
    expect(rows.find((row) => row.name === name)!.paused).toBe("the pool is paused");
    await done({ action: "resume", pool: "workers" });
    expect(pool.isTaking).toBe(true);
    await done({ action: "resize", concurrency: 5 });
    expect(pool.concurrency).toBe(5);
    const record = await events.next<ActionRecord>("action", (each) => each.action === "resize");
    expect(record).toMatchObject({ concurrency: 5, outcome: "done with workers" });
    await done({ action: "report" });
    const stopped = new Promise<void>((resolve) => pool.once("stopped", resolve));
    await done({ action: "drain" });
    await stopped;
    events.close();
  });

  it.each([
    [{ authorization: "Bearer wrong-0123456789" }, 401],
    [{}, 401],
    [{ authorization: `Basic ${TOKEN}` }, 401],
    [{ ...bearer, origin: "https://evil.example" }, 403],
    [{ ...bearer, "content-type": "text/plain" }, 400],
    [{ ...bearer, "sec-fetch-site": "cross-site" }, 403],
  ])("are refused with %o", async (headers, status) => {
    const { name, pool } = pooled();
    const target = await served({ allowActions: { token: TOKEN } });
    const answer = await act(target, { action: "pause", queue: name }, headers as Record<string, string>);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain(TOKEN);
    expect(pool.isTaking).toBe(true);
    await pool.stop();
  });

  it.each([
    [{ action: "explode" }, 400],
    [{ action: "resize" }, 400],
    [{ action: "resize", concurrency: 0 }, 400],
    [{ action: "resize", concurrency: "8" }, 400],
    [{ action: "pause", concurrency: 8 }, 400],
    [{ action: "pause", pool: "none" }, 404],
    [{ action: "pause", queue: "none" }, 404],
    [{ action: "pause", queue: 7 }, 400],
    [{ action: "pause", padding: "x".repeat(20_000) }, 413],
  ])("refuse %o with %i", async (body, status) => {
    const { name, pool } = pooled();
    const target = await served({ allowActions: { token: TOKEN } });
    expect((await act(target, { queue: name, ...body }, bearer)).status).toBe(status);
    await pool.stop();
  });

  it("are taken for whoever auth lets in, by name", async () => {
    const { name, pool } = pooled();
    const target = await served({ allowActions: true, auth: ({ headers }) => headers["x-user"] as string });
    const answer = await act(target, { action: "pause", queue: name }, { "x-user": "ada" });
    expect(JSON.parse(answer.text).done.by).toBe("ada from 127.0.0.1");
    expect((await act(target, { action: "resume", queue: name })).status).toBe(401);
    expect(pool.isTaking).toBe(false);
    await pool.stop();
  });
});

describe("the handler in a server that is there", () => {
  async function mounted(handler: InspectorHandler): Promise<{ port: number }> {
    handlers.push(handler);
    const server = createServer(
      (request, response) => void handler(request, response, () => response.end("theirs")),
    ).listen(0, "127.0.0.1");
    servers.push(server);
    await new Promise((resolve) => server.once("listening", resolve));
    return { port: (server.address() as AddressInfo).port };
  }

  it("answers below its path, and leaves the rest to the server", async () => {
    const target = await mounted(inspectorHandler({ basePath: "/ops/queues/" }));
    expect((await ask(target, "/")).text).toBe("theirs");
    expect((await ask(target, "/ops/queuesandmore")).text).toBe("theirs");
    expect((await json<Hello>(target, "/ops/queues/api/v1/hello")).protocol).toBe(1);
    const redirected = await ask(target, "/ops/queues");
    expect(redirected.status).toBe(308);
    expect(new URL(String(redirected.headers.location), "http://h/ops/queues").pathname).toBe("/ops/queues/");
  });

  it("answers where a router has taken its path away, as Express does", async () => {
    const handler = inspectorHandler();
    handlers.push(handler);
    const server = createServer((request, response) => {
      const mountedRequest = Object.assign(request, { originalUrl: request.url });
      request.url = request.url!.replace(/^\/queues/, "") || "/";
      void handler(mountedRequest, response);
    }).listen(0, "127.0.0.1");
    servers.push(server);
    await new Promise((resolve) => server.once("listening", resolve));
    const target = { port: (server.address() as AddressInfo).port };
    expect((await json<Hello>(target, "/queues/api/v1/hello")).protocol).toBe(1);
    const redirected = await ask(target, "/queues");
    expect(new URL(String(redirected.headers.location), "http://h/queues").pathname).toBe("/queues/");
  });
});
