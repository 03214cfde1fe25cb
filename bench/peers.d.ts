/** Peers that bring no types: what the benchmarks use of them. */
declare module "fast-fifo" {
  export default class FastFIFO<T> {
    push(item: T): void;
    shift(): T | undefined;
  }
}
