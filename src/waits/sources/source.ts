import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** Called with what is published; its form is in Node's documentation. */
// biome-ignore lint/suspicious/noExplicitAny: each channel has a form of its own
export type Listener = (message: any) => void;

/** Channels that publish what tasks wait for. Those that this version of Node lacks stay silent. */
export type Source = Readonly<Record<string, Listener>>;

/** Listens to all channels of the sources; returns the function that ends it. What a listener throws must not reach the publisher. */
export function listen(sources: readonly Source[]): () => void {
  const pairs = sources.flatMap((source) =>
    Object.entries(source).map(([channel, listener]) => {
      const contained = (message: unknown) => {
        try {
          listener(message);
        } catch {
          // Another version of Node may publish another form: that wait stays unknown.
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
