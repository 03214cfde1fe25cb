/** The names of the queue's tiers, as far as its type knows them; else any string. */
export type TierOf<Queue> = Queue extends { put(item: never, options?: infer Options): unknown }
  ? NonNullable<Options> extends { readonly tier?: infer Tier }
    ? Extract<Tier, string> extends never
      ? string
      : Extract<Tier, string>
    : string
  : string;

/** Something for each tier; `default` stands for every tier without an entry. */
export type ByTier<Tier extends string, Value> = { readonly default?: Value } & {
  readonly [Name in Tier]?: Value;
};
