/** Where an async function may wait. */
export interface Places {
  readonly file: string;
  /** Undefined for one without a name. */
  readonly functionName: string | undefined;
  /** Line and column of the function itself, then of each `await` in it; both begin with 1. */
  readonly sites: readonly (readonly [line: number, column: number])[];
}

/** As one string: a constant in transformed code, which then takes no table that would have to be there first. */
export function placesAsText({ file, functionName, sites }: Places): string {
  return `${file}\n${functionName ?? ""}\n${sites.map(([line, column]) => `${line}:${column}`).join(" ")}`;
}

export function placesIn(text: string): Places {
  const [file = "", name = "", sites = ""] = text.split("\n");
  return {
    file,
    functionName: name === "" ? undefined : name,
    sites: sites.split(" ").map((site) => {
      const [line, column] = site.split(":");
      return [Number(line), Number(column)] as const;
    }),
  };
}
