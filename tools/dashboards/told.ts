/** What the page tells of a panel. */
export interface Told {
  readonly title: string;
  readonly type: string;
  /** Its queries have found nothing. */
  readonly isEmpty?: boolean;
  readonly problem?: string;
}

/** What the page has for its visitor, as properties of its global object. */
export interface Page {
  /** How many panels are still to come, and what those told that have been drawn. */
  readonly report: { readonly waiting: number; readonly panels: readonly Told[] };
  /** Resolves when what is there has been painted. */
  painted(): Promise<void>;
  /** What can't be read, each with the title of its panel. */
  cutOff(): string[];
}
