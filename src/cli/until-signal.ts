const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Resolves when the command is asked to end: by Ctrl-C, by what started it, or by what is given. Until then it keeps the process alive.
 */
export async function untilSignal(other?: Promise<void>): Promise<void> {
  const hold = setInterval(() => {}, 2 ** 31 - 1);
  let end = () => {};
  const signalled = new Promise<void>((resolve) => {
    end = resolve;
  });
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    await Promise.race(other === undefined ? [signalled] : [signalled, other]);
  } finally {
    clearInterval(hold);
    for (const signal of SIGNALS) process.off(signal, end);
  }
}
