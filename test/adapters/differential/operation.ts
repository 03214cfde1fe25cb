import fc from "fast-check";

/** Something that a user can do, by its name, with what it takes. */
export function operation<const Do extends string, Takes extends object>(
  name: Do,
  takes: { [K in keyof Takes]: fc.Arbitrary<Takes[K]> },
): fc.Arbitrary<{ do: Do } & Takes> {
  return fc.record({ do: fc.constant(name), ...takes }) as unknown as fc.Arbitrary<{ do: Do } & Takes>;
}

export type Operation<A> = A extends fc.Arbitrary<infer Op> ? Op : never;

/** Undefined half of the time. */
export function maybe<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined, freq: 2 });
}

/** What `for in` gives. */
export function inherited(object: object): string[] {
  const keys: string[] = [];
  for (const key in object) keys.push(key);
  return keys;
}

export function asJson(object: object): string {
  try {
    return JSON.stringify(object);
  } catch (error) {
    return String(error);
  }
}
