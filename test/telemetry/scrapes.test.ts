import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { turn } from "../../src/base/real-time.js";
import { CONTENT_TYPES, type Format } from "../../src/telemetry/metrics/formats.js";
import { Scrapes } from "../../src/telemetry/metrics/scrapes.js";
import { DiagCapture, signal } from "../support/telemetry-capture.js";

/** As much of a response as scrapes need. */
class Response {
  readonly req = { socket: { destroyed: false } };
  writableEnded = false;
  status: number | undefined;
  type: string | undefined;
  body: unknown;

  writeHead(status: number, headers: Record<string, string>): this {
    this.status = status;
    this.type = headers["content-type"];
    return this;
  }

  end(body: unknown): this {
    this.body = body;
    this.writableEnded = true;
    return this;
  }
}

/** A collection that ends when it is told to. */
class Collections {
  readonly under: { readonly isWanted: () => boolean; give(text: string): void; fail(error: Error): void }[] =
    [];
  readonly scrapes = new Scrapes({ text: this.collect.bind(this), openmetrics: this.collect.bind(this) });

  scrape(format?: Format): Response {
    const response = new Response();
    this.scrapes.answer(response as unknown as ServerResponse<never>, format);
    return response;
  }

  private collect(isWanted: () => boolean): Promise<Uint8Array> {
    const text = signal<string | Error>();
    this.under.push({ isWanted, give: text.give, fail: text.give });
    return text.promise.then((each) => {
      if (typeof each !== "string") throw each;
      return Buffer.from(each);
    });
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await turn();
}

describe("scrapes", () => {
  it("that come together share one collection", async () => {
    const collections = new Collections();
    const all = Array.from({ length: 100 }, () => collections.scrape());
    await settled();
    expect(collections.under).toHaveLength(1);
    collections.under[0]!.give("one");
    await settled();
    expect(new Set(all.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(["200 one"]));
    expect(new Set(all.map(({ body }) => body)).size).toBe(1);
    expect(collections.under).toHaveLength(1);
  });

  it("that come together in two formats share a collection each", async () => {
    const collections = new Collections();
    const all = (["openmetrics", "text", "openmetrics", "text"] as const).map((each) =>
      collections.scrape(each),
    );
    for (const [i, text] of ["one", "two"].entries()) {
      await settled();
      expect(collections.under).toHaveLength(i + 1);
      collections.under[i]!.give(text);
    }
    await settled();
    const { text, openmetrics } = CONTENT_TYPES;
    expect(all.map(({ type, body }) => [type, String(body)])).toEqual([
      [openmetrics, "two"],
      [text, "one"],
      [openmetrics, "two"],
      [text, "one"],
    ]);
  });

  it("that come during a collection wait for the next: each gets what was so after it had asked", async () => {
    const collections = new Collections();
    const early = collections.scrape();
    await settled();
    const late = [collections.scrape(), collections.scrape()];
    await settled();
    expect(collections.under).toHaveLength(1);
    collections.under[0]!.give("before");
    await settled();
    expect(String(early.body)).toBe("before");
    expect(late.map(({ status }) => status)).toEqual([undefined, undefined]);
    collections.under[1]!.give("after");
    await settled();
    expect(late.map(({ body }) => String(body))).toEqual(["after", "after"]);
    expect(collections.under).toHaveLength(2);
  });

  it("whose connections are closed cost nothing, and end what is made for them alone", async () => {
    const collections = new Collections();
    const gone = collections.scrape();
    gone.req.socket.destroyed = true;
    await settled();
    expect(collections.under).toHaveLength(0);
    const leaving = collections.scrape();
    await settled();
    expect(collections.under[0]!.isWanted()).toBe(true);
    leaving.req.socket.destroyed = true;
    expect(collections.under[0]!.isWanted()).toBe(false);
    collections.under[0]!.give("for nobody");
    await settled();
    expect(leaving.status).toBeUndefined();
    collections.scrape();
    await settled();
    expect(collections.under).toHaveLength(2);
  });

  it("are answered with 500 and a text where the collection fails, and the next ones are not", async () => {
    const said = new DiagCapture();
    const collections = new Collections();
    const all = [collections.scrape(), collections.scrape()];
    await settled();
    collections.under[0]!.fail(new Error("secret"));
    await settled();
    expect(all.map(({ status, body }) => [status, body])).toEqual(
      Array(2).fill([500, "the metrics could not be collected\n"]),
    );
    expect(said.errors).toHaveLength(1);
    said.stop();
    const next = collections.scrape();
    await settled();
    collections.under[1]!.give("well");
    await settled();
    expect(next.status).toBe(200);
  });
});
