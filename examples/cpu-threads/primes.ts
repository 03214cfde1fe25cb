// Runs in a thread. Here a loop may take as long as it likes.
import { currentCorrelationId } from "queuescope";
import type { ThreadTask } from "queuescope/threads";

export interface Range {
  readonly from: number;
  readonly to: number;
}

export default function countPrimes({ from, to }: Range, { signal, progress }: ThreadTask): string {
  if (from > to) process.exit(1); // A mistake that would end the whole service, were it not in a thread.
  let count = 0;
  for (let n = from; n < to; n++) {
    if (isPrime(n)) count++;
    if (n % 10_000 === 0) {
      signal.throwIfAborted(); // Finds out even in here, where no event is ever handled.
      progress((n - from) / (to - from));
    }
  }
  return `${currentCorrelationId()}: ${count} primes from ${from} to ${to}`;
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return n > 1;
}
