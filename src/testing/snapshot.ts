import assert from "node:assert/strict";

type Descriptors = ReadonlyMap<PropertyKey, PropertyDescriptor>;

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

function descriptorsOf(object: object): Descriptors {
  return new Map(
    Reflect.ownKeys(object).map((key) => [key, Object.getOwnPropertyDescriptor(object, key)!] as const),
  );
}

/** The own properties of an object, and of the objects in them. */
export class Snapshot {
  private constructor(
    private readonly root: object,
    private readonly parts: ReadonlyMap<object, { path: string; own: Descriptors }>,
  ) {}

  static of(root: object, path = "the queue"): Snapshot {
    const parts = new Map([[root, { path, own: descriptorsOf(root) }]]);
    for (const [key, { value }] of descriptorsOf(root)) {
      if (!isObject(value) || parts.has(value)) continue;
      parts.set(value, { path: `${path}'s ${String(key)}`, own: descriptorsOf(value) });
    }
    return new Snapshot(root, parts);
  }

  /** No property of the queue has come, gone, or changed, and no method of the objects in it. */
  assertSame(when: string): void {
    this.compare(when, (object) => object === this.root);
  }

  /** No method has come, gone, or changed; data may have. */
  assertSameMethods(when: string): void {
    this.compare(when, () => false);
  }

  private compare(when: string, isDataIncluded: (object: object) => boolean): void {
    for (const [object, { path, own }] of this.parts) {
      const now = descriptorsOf(object);
      for (const key of new Set([...own.keys(), ...now.keys()])) {
        const [before, after] = [own.get(key), now.get(key)];
        const isMethod = typeof before?.value === "function" || typeof after?.value === "function";
        if (!isMethod && !isDataIncluded(object)) continue;
        assertSameProperty(before, after, `${path}, ${when}: its property ${String(key)}`);
      }
    }
  }
}

function assertSameProperty(
  before: PropertyDescriptor | undefined,
  after: PropertyDescriptor | undefined,
  what: string,
): void {
  assert.ok(before !== undefined || after === undefined, `${what} is new`);
  assert.ok(after !== undefined || before === undefined, `${what} is gone`);
  for (const each of ["value", "get", "set", "writable", "enumerable", "configurable"] as const) {
    assert.ok(Object.is(before?.[each], after?.[each]), `${what} has another ${each}`);
  }
}
