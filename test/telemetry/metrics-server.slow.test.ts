import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Collect } from "../../src/telemetry/metrics/scrapes.js";
import { type Authorize, MetricsServer } from "../../src/telemetry/sdk/metrics-server.js";
import { DiagCapture, signal } from "../support/telemetry-capture.js";

/** For what never comes. */
const LIMIT_MS = 60_000;

let servers: MetricsServer[] = [];
let collections = 0;

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  servers = [];
  collections = 0;
});

const metrics: Collect = async () => {
  collections++;
  return Buffer.from(`queue_depth ${collections}\n`);
};

async function serve(collect = metrics, authorize?: Authorize, host = "127.0.0.1"): Promise<number> {
  const server = await MetricsServer.listen(host, 0, { text: collect }, authorize);
  servers.push(server);
  return Number(new URL(server.url).port);
}

/** Writes that, and reads until the server closes the connection. */
async function exchange(port: number, text: string, host = "127.0.0.1"): Promise<string> {
  return read(send(port, text, host));
}

function send(port: number, text: string, host = "127.0.0.1"): Socket {
  const socket = connect(port, host);
  socket.write(text);
  return socket;
}

async function read(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await new Promise((resolve) => socket.on("error", resolve).on("close", resolve));
  return Buffer.concat(chunks).toString("latin1");
}

const boom = (): never => {
  throw new Error("secret");
};

function statuses(text: string): number[] {
  return [...text.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => Number(status));
}

function get(target: string, { method = "GET", host = "127.0.0.1", more = "" } = {}): string {
  return `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`;
}

describe("what is asked", () => {
  it.each([
    ["the metrics", get("/metrics"), 200],
    ["with a query", get("/metrics?name[]=queue_depth"), 200],
    ["a path that is percent-encoded", get("/%6Detrics"), 200],
    ["a path that is no UTF-8", get("/metrics%ff"), 400],
    ["a path that is broken", get("/%"), 400],
    ["another path", get("/metrics/x"), 404],
    ["a path that looks like a host", get("//metrics"), 404],
    ["the whole URL", get("http://127.0.0.1/metrics"), 200],
    ["the whole URL of another host", get("http://evil.example/metrics"), 403],
    ["no URL", get("http://[/metrics"), 400],
    ["the server as such", get("*", { method: "OPTIONS" }), 404],
    ["nothing", get(""), 400],
    ["another host", get("/metrics", { host: "evil.example" }), 403],
    ["another host, elsewhere", get("/", { host: "evil.example" }), 403],
    ["localhost", get("/metrics", { host: "localhost:9464" }), 200],
    ["IPv6", get("/metrics", { host: "[::1]:1" }), 200],
    ["no host", "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    ["an empty host", get("/metrics", { host: "" }), 403],
    ["HTTP/1.0", "GET /metrics HTTP/1.0\r\n\r\n", 200],
    ["HTTP/1.0 with another host", "GET /metrics HTTP/1.0\r\nHost: evil.example\r\n\r\n", 403],
    ["a head", get("/metrics", { method: "HEAD" }), 200],
    ["to write", get("/metrics", { method: "POST", more: "Content-Length: 0\r\n" }), 405],
    ["to delete", get("/metrics", { method: "DELETE" }), 405],
    ["to upgrade", get("/metrics", { more: "Upgrade: websocket\r\n" }), 200],
    ["a method that is none", get("/metrics", { method: "BREW" }), 400],
    ["too large a head", get("/metrics", { more: `X: ${"x".repeat(100_000)}\r\n` }), 431],
    ["no HTTP", "\x16\x03\x01\x02\x00\r\n\r\n", 400],
    ["two lengths", get("/metrics", { more: "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n" }), 400],
  ])("is answered: %s", async (_, request, status) => {
    const answer = await exchange(await serve(), request);
    expect(statuses(answer)).toEqual([status]);
    expect(/^queue_depth 1$/m.test(answer)).toBe(status === 200 && !request.startsWith("HEAD"));
  });

  it("says which methods there are", async () => {
    expect(await exchange(await serve(), get("/metrics", { method: "PUT" }))).toMatch(
      /^allow: GET, HEAD\r$/im,
    );
  });

  it("can be asked by IPv6, where there is any", async (context) => {
    const probe = createServer();
    const hasIpv6 = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false)).listen(0, "::1", () => resolve(true));
    });
    probe.close();
    if (!hasIpv6) context.skip("there is no ::1 here");
    const port = await serve(metrics, undefined, "::1");
    expect(servers[0]!.url).toBe(`http://[::1]:${port}/metrics`);
    expect((await fetch(servers[0]!.url)).status).toBe(200);
    expect(statuses(await exchange(port, get("/metrics", { host: "evil.example" }), "::1"))).toEqual([403]);
  });
});

describe("hostile clients", () => {
  it("that ask a hundred times at once get a hundred answers of a few collections", async () => {
    const port = await serve();
    const one = `GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(4_000)}\r\n\r\n`;
    const answer = await exchange(port, one.repeat(99) + get("/metrics"));
    expect(statuses(answer)).toEqual(Array(100).fill(200));
    expect(collections).toBeLessThan(30);
  });

  it("that go away before they are answered cost nothing", async () => {
    const under = signal();
    const blocked = await serve(async (isWanted) => {
      collections++;
      await under.promise;
      expect(isWanted()).toBe(collections > 1);
      return Buffer.from("x 1\n");
    });
    const first = send(blocked, `GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(50));
    await vi.waitFor(() => expect(collections).toBe(1), LIMIT_MS);
    const later = send(blocked, `GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(50));
    await new Promise((resolve) => later.write("", resolve));
    for (const socket of [first, later]) socket.destroy();
    const { server } = servers[0] as unknown as { server: import("node:http").Server };
    await vi.waitFor(async () => {
      const open = await new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)));
      expect(open).toBe(0);
    }, LIMIT_MS);
    under.give();
    expect(statuses(await exchange(blocked, get("/metrics")))).toEqual([200]);
    expect(collections).toBe(2);
  });

  it(
    "that send their head byte by byte, or nothing, are closed",
    async () => {
      const port = await serve();
      const slow = send(port, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
      const drip = setInterval(() => slow.write("X: x\r\n"), 100);
      const silent = connect(port, "127.0.0.1");
      const [text] = await Promise.all([read(slow), read(silent)]);
      clearInterval(drip);
      expect(statuses(text)).toEqual([408]);
    },
    LIMIT_MS,
  );

  it(
    "that open connections without end leave room when they are gone",
    async () => {
      const port = await serve();
      const many = Array.from({ length: 200 }, () => connect(port, "127.0.0.1").on("error", () => {}));
      const closed = many.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
      await vi.waitFor(
        () => expect(many.filter((each) => each.destroyed).length).toBeGreaterThanOrEqual(200 - 64),
        LIMIT_MS,
      );
      for (const socket of many) socket.destroy();
      await Promise.all(closed);
      await vi.waitFor(
        async () => expect(statuses(await exchange(port, get("/metrics")))).toEqual([200]),
        LIMIT_MS,
      );
    },
    LIMIT_MS,
  );
});

describe("authorize", () => {
  it.each<[string, unknown, number]>([
    ["true", () => true, 200],
    ["a promise of true", async () => true, 200],
    ["false", () => false, 401],
    ["what is merely truthy", () => "yes", 401],
    ["nothing", () => undefined, 401],
    [
      "an error",
      () => {
        throw new Error("secret");
      },
      500,
    ],
    ["a promise that rejects", () => Promise.reject(new Error("secret")), 500],
    [
      "a thenable that throws",
      // biome-ignore lint/suspicious/noThenProperty: a thenable on purpose
      () => Object.defineProperty({}, "then", { get: boom }),
      500,
    ],
  ])("that gives %s is obeyed", async (_, authorize, status) => {
    const said = new DiagCapture();
    const port = await serve(metrics, authorize as Authorize);
    const answer = await exchange(port, get("/metrics"));
    said.stop();
    expect(statuses(answer)).toEqual([status]);
    expect(answer).not.toContain("secret");
    expect(answer.includes("queue_depth")).toBe(status === 200);
    expect(collections).toBe(status === 200 ? 1 : 0);
    expect(said.errors).toHaveLength(status === 500 ? 1 : 0);
  });

  it("gets the request", async () => {
    const port = await serve(metrics, (request) => request.headers.authorization === "Bearer token");
    expect(
      statuses(await exchange(port, get("/metrics", { more: "Authorization: Bearer token\r\n" }))),
    ).toEqual([200]);
    expect(statuses(await exchange(port, get("/metrics", { method: "HEAD" })))).toEqual([401]);
  });

  it(
    "that never answers is waited for, but not for ever",
    async () => {
      const said = new DiagCapture();
      const port = await serve(metrics, () => new Promise<boolean>(() => {}));
      expect(statuses(await exchange(port, get("/metrics")))).toEqual([500]);
      said.stop();
    },
    LIMIT_MS,
  );
});

it(
  "a collection that never ends is given up, and the next one begins",
  async () => {
    const said = new DiagCapture();
    let calls = 0;
    const port = await serve((isWanted) => (calls++ === 0 ? new Promise(() => {}) : metrics(isWanted)));
    expect(statuses(await exchange(port, get("/metrics")))).toEqual([500]);
    expect(statuses(await exchange(port, get("/metrics")))).toEqual([200]);
    said.stop();
  },
  LIMIT_MS,
);

it("closing ends what is under way", async () => {
  const port = await serve(() => new Promise(() => {}));
  const idle = connect(port, "127.0.0.1");
  const waiting = read(send(port, get("/metrics")));
  await new Promise((resolve) => idle.once("connect", resolve));
  await servers.pop()!.close();
  expect(await waiting).toBe("");
});

it.each([
  ["OpenMetrics, where it is asked for and there is some", true, "application/openmetrics-text", true],
  ["text, where that is asked for", true, "text/plain", false],
  ["text, where nothing is", true, undefined, false],
  ["text, where there is nothing else", false, "application/openmetrics-text", false],
])("it answers GET and HEAD in %s", async (_, hasBoth, accept, isOpenMetrics) => {
  const write = (text: string) => async () => Buffer.from(text);
  const collectors = { text: write("text"), ...(hasBoth ? { openmetrics: write("openmetrics") } : {}) };
  const server = await MetricsServer.listen("127.0.0.1", 0, collectors);
  servers.push(server);
  const headers: Record<string, string> = accept === undefined ? {} : { accept };
  const type = isOpenMetrics
    ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
    : "text/plain; version=0.0.4; charset=utf-8";
  for (const method of ["GET", "HEAD"]) {
    const answer = await fetch(server.url, { method, headers });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, type]);
    const body = method === "HEAD" ? "" : isOpenMetrics ? "openmetrics" : "text";
    expect(await answer.text()).toBe(body);
  }
});

it("a port that another program has is named", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  await expect(MetricsServer.listen("127.0.0.1", port, { text: metrics })).rejects.toThrow(
    `prometheus.port: port ${port} on 127.0.0.1 is in use; choose another one, or 0 for any free port`,
  );
  await new Promise((resolve) => other.close(resolve));
});
