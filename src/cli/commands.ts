import type { Command } from "./command.js";

interface Listed {
  /** What `queuescope --help` says of it. */
  readonly summary: string;
  load(): Promise<{ readonly default: Command }>;
}

/** All subcommands, in the order in which `queuescope --help` lists them. */
export const COMMANDS: Readonly<Record<string, Listed>> = {
  ps: {
    summary: "the queues of all processes that can be looked into, worst first, and why they are late",
    load: () => import("./commands/ps.js"),
  },
  top: {
    summary: "the same, live, with keys; plain lines where the output is no terminal",
    load: () => import("./commands/top.js"),
  },
  open: {
    summary: "the live view of all of them in a browser",
    load: () => import("./commands/open.js"),
  },
  report: {
    summary: "why the queues of a process, or of all of them, are late, with what is in flight",
    load: () => import("./commands/report.js"),
  },
  metrics: {
    summary: "one endpoint for Prometheus with the metrics of all of them",
    load: () => import("./commands/metrics.js"),
  },
  tree: {
    summary: "the line at which each async function of a Node process waits, as a tree by task",
    load: () => import("./commands/tree.js"),
  },
};
