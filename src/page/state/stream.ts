import type { ServerEvents } from "../../inspector/protocol.js";
import { addressOf } from "./api.js";

const MIN_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5_000;
/** Something comes once a second. A connection that is silent for so long is none, as after a laptop has slept. */
const SILENCE_MS = 8_000;

const EVENTS = ["snapshot", "changes", "breach", "cleared", "stall", "action", "gone", "bye"] as const;

export type StreamMessage = {
  [Name in (typeof EVENTS)[number]]: { readonly event: Name; readonly data: ServerEvents[Name] };
}[(typeof EVENTS)[number]];

export interface StreamListener {
  received(message: StreamMessage): void;
  /** The connection is lost; the next message is a snapshot. */
  lost(): void;
}

/** Listens to the stream of events, and connects again whenever that is lost, for as long as the page is open. */
export class Stream {
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pauseMs = MIN_PAUSE_MS;

  constructor(private readonly listener: StreamListener) {}

  open(): this {
    clearTimeout(this.timer);
    this.source?.close();
    const source = new EventSource(addressOf("events"));
    this.source = source;
    for (const event of EVENTS) {
      source.addEventListener(event, ({ data }: MessageEvent<string>) => {
        this.expectMore();
        this.pauseMs = MIN_PAUSE_MS;
        this.listener.received({ event, data: JSON.parse(data) } as StreamMessage);
      });
    }
    // The browser would try again by itself, but not after an answer such as 502, and not always soon.
    source.onerror = () => this.retry();
    this.expectMore();
    return this;
  }

  private expectMore(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.retry(), SILENCE_MS);
  }

  private retry(): void {
    this.source?.close();
    clearTimeout(this.timer);
    this.listener.lost();
    this.timer = setTimeout(() => this.open(), this.pauseMs);
    this.pauseMs = Math.min(this.pauseMs * 1.6, MAX_PAUSE_MS);
  }
}
