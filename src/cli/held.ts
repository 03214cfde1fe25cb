/** How long a timer of Node's can be, in milliseconds. */
const FOR_EVER = 2 ** 31 - 1;

/** Keeps the process alive while it acts: what looks into other processes, and what serves, holds none. */
export async function held<R>(act: () => Promise<R>): Promise<R> {
  const hold = setInterval(() => {}, FOR_EVER);
  try {
    return await act();
  } finally {
    clearInterval(hold);
  }
}
