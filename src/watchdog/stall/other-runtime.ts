let isSaid = false;

/** The name of the runtime, where it isn't Node: threads can't look at what main does there. */
export function otherRuntime(): "Bun" | "Deno" | undefined {
  const { bun, deno } = process.versions as { readonly bun?: string; readonly deno?: string };
  if (bun !== undefined) return "Bun";
  return deno === undefined ? undefined : "Deno";
}

/** What is to be said of that, for the first watchdog of the process. */
export function limitOfRuntime(): string | undefined {
  const name = otherRuntime();
  if (name === undefined || isSaid) return undefined;
  isSaid = true;
  return `${name} doesn't let a thread look at what blocks the event loop: stalls are reported without stack and task`;
}
