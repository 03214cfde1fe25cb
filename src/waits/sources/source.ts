import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** Called with what is published; the field's form is as Node's documentation has it. */
// biome-ignore lint/suspicious/noExplicitAny: each channel has a form of its own
export type Listener = (message: any) => void;

/** Channels that tell of something tasks wait for. Those that this version of Node lacks stay silent. */
export type Source = Readonly<Record<string, Listener>>;

/** Listens to all channels of the sources. Returns how to end that. What a listener throws must not reach the publisher. */
export function listen(sources: readonly Source[]): () => void {
  const pairs = sources.flatMap((source) =>
    Object.entries(source).map(([channel, listener]) => {
      const contained = (message: unknown) => {
        try {
          listener(message);
        } catch {
          // A channel whose messages have another form than we know: that wait stays unknown.
        }
      };
      return [channel, contained] as const;
    }),
  );
  for (const [channel, listener] of pairs) subscribe(channel, listener);
  return () => {
    for (const [channel, listener] of pairs) unsubscribe(channel, listener);
  };
}
