import type { IncomingMessage, ServerResponse } from "node:http";
import { diag } from "@opentelemetry/api";
import { plainError } from "../../base/error-text.js";
import { inTime } from "../../base/in-time.js";
import { contained } from "../../base/output.js";
import { turn } from "../../base/real-time.js";
import { CONTENT_TYPES, type Format } from "./formats.js";
import { slices } from "./slices.js";

/** How long a collection may take, in milliseconds. */
const LIMIT_MS = 10_000;

/** A text in pieces, which are read no more once it is released. */
export interface Exposition {
  readonly pieces: readonly Uint8Array[];
  release(): void;
}

/** Collects all metrics, as Prometheus reads them, in one piece or in several; what becomes of it doesn't matter once `isWanted` says no. */
export type Collect = (isWanted: () => boolean) => Promise<Uint8Array | Exposition>;

/** How metrics are collected in each format that there is. */
export type Collectors = { readonly text: Collect; readonly openmetrics?: Collect };

type Scrape = ServerResponse<IncomingMessage>;

/** Answers scrapes: one collection at a time, for all who wait when it begins. What each gets is as of its request, or later. */
export class Scrapes {
  private waiting: { readonly scrape: Scrape; readonly format: Format }[] = [];
  private isCollecting = false;

  constructor(private readonly collectors: Collectors) {}

  answer(scrape: Scrape, format: Format = "text"): void {
    this.waiting.push({ scrape, format });
    if (!this.isCollecting) void this.run();
  }

  private async run(): Promise<void> {
    this.isCollecting = true;
    try {
      do {
        // More of them may be in the same packet.
        await turn();
        const { waiting } = this;
        this.waiting = [];
        for (const format of ["text", "openmetrics"] as const) {
          const scrapes = waiting.filter((each) => each.format === format).map(({ scrape }) => scrape);
          const open = scrapes.filter(isOpen);
          if (open.length > 0) await this.serve(open, format);
        }
      } while (this.waiting.length > 0);
    } finally {
      this.isCollecting = false;
    }
  }

  private async serve(scrapes: readonly Scrape[], format: Format): Promise<void> {
    const collect = this.collectors[format]!;
    let collected: Uint8Array | Exposition;
    try {
      collected = await inTime(
        LIMIT_MS,
        collect(() => scrapes.some(isOpen)),
      );
    } catch (error) {
      contained(() => diag.error("queuescope: the metrics could not be collected", plainError(error)));
      for (const each of scrapes) reply(each, 500, "the metrics could not be collected");
      return;
    }
    const { pieces, release }: { pieces: readonly Uint8Array[]; release?: () => void } =
      collected instanceof Uint8Array ? { pieces: [collected] } : collected;
    // Listens before there is anything that can end.
    if (release !== undefined) void Promise.all(scrapes.filter(isOpen).map(isSent)).then(release);
    const length = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
    for (const each of scrapes) {
      if (!isOpen(each)) continue;
      each.writeHead(200, {
        "content-type": CONTENT_TYPES[format],
        "content-length": length,
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      });
      void send(each, pieces);
    }
  }
}

/** Piece by piece, as fast as they are read: all at once, copying many megabytes would block the event loop. */
async function send(response: Scrape, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces.slice(0, -1)) {
    if (!response.write(piece)) await hasDrained(response);
    // To a fast reader it drains within the turn.
    if (slices.isOver) await slices.next();
    if (!isOpen(response)) return;
  }
  response.end(pieces.at(-1));
}

function hasDrained(response: Scrape): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

/** Whatever became of the answer: nothing reads what was written to it any more. */
function isSent(response: Scrape): Promise<void> {
  return new Promise((resolve) => void response.once("finish", resolve).once("close", resolve));
}

function isOpen({ req, writableEnded }: Scrape): boolean {
  return !writableEnded && !req.socket.destroyed;
}

/** Answers with a line of text. What else comes by the connection of a request that was refused is not read. */
export function reply(
  response: Scrape,
  status: number,
  text: string,
  headers?: Record<string, string>,
): void {
  if (!isOpen(response)) return;
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    connection: "close",
    ...headers,
  });
  response.end(`${text}\n`);
}
