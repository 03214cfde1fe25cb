/** Peers that bring no types: what the benchmarks use of them. */
declare module "fast-fifo" {
  export default class FastFIFO<T> {
    push(item: T): void;
    shift(): T | undefined;
  }
}

declare module "async" {
  interface AsyncQueue<T> {
    push(item: T): Promise<unknown>;
    pause(): void;
  }
  const async: {
    queue<T>(worker: (item: T, done: (error?: unknown) => void) => void, concurrency: number): AsyncQueue<T>;
  };
  export default async;
}
