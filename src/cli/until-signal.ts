/** What ends a command. */
export const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Resolves when the command is asked to end: by Ctrl-C, by what started it, or by what is given. */
export async function untilSignal(other?: Promise<void>): Promise<void> {
  let end = () => {};
  const signalled = new Promise<void>((resolve) => {
    end = resolve;
  });
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    await Promise.race(other === undefined ? [signalled] : [signalled, other]);
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
  }
}
