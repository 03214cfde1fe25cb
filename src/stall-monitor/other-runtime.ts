import { processWide } from "../base/process-wide.js";

const { warned } = processWide;

/** The name of the runtime, where it isn't Node: threads can't look at what main does there. */
export function otherRuntime(): "Bun" | "Deno" | undefined {
  const { bun, deno } = process.versions as { readonly bun?: string; readonly deno?: string };
  if (bun !== undefined) return "Bun";
  return deno === undefined ? undefined : "Deno";
}

/** What is to be said of that, for the first watchdog of the process. */
export function limitOfRuntime(): string | undefined {
  const name = otherRuntime();
  const warning = `stalls on ${name}`;
  if (name === undefined || warned.has(warning)) return undefined;
  warned.add(warning);
  return `${name} doesn't let a thread look at what blocks the event loop: stalls are reported without stack and task`;
}
