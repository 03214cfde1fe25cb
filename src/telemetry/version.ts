/** The name and version under which spans and metrics are emitted. */
export const SCOPE = { name: "queuescope", version: "0.1.0" } as const;
