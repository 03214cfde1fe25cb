import type { Attributes } from "@opentelemetry/api";

/** What tells a series from the others of its instrument: as attributes, and in the words of Prometheus, which are made once. */
export class Labels {
  private words: Uint8Array | undefined = undefined;

  constructor(readonly attributes: Attributes) {}

  /** As it stands between the braces, in UTF-8. */
  get bytes(): Uint8Array {
    this.words ??= Buffer.from(
      Object.entries(this.attributes)
        .map(([name, value]) => `${promName(name)}="${escaped(String(value))}"`)
        .join(","),
    );
    return this.words;
  }
}

/** Of what belongs to no queue and no gate. */
export const NO_LABELS = new Labels({});

const known = new Map<string, Labels>();

/** One label more; for values of which there are few. */
export function label(name: string, value: string): Labels {
  const key = `${name}=${value}`;
  let labels = known.get(key);
  if (labels === undefined) {
    labels = new Labels({ [name]: value });
    known.set(key, labels);
  }
  return labels;
}

/** All attributes of a series that has one label more than others of its queue. */
export function attributesOf({ attributes }: Labels, more: Labels | undefined): Attributes {
  return more === undefined ? attributes : { ...attributes, ...more.attributes };
}

export function promName(name: string): string {
  return name.replaceAll(".", "_");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
