import type { Command } from "./command.js";

interface Listed {
  /** What `queuescope --help` says of it. */
  readonly summary: string;
  load(): Promise<{ readonly default: Command }>;
}

/** All subcommands, in the order in which `queuescope --help` lists them. */
export const COMMANDS: Readonly<Record<string, Listed>> = {
  tree: {
    summary: "the line at which each async function of a Node process waits, as a tree by task",
    load: () => import("./commands/tree.js"),
  },
};
