import { Readable } from "node:stream";
import { Effect, Queue } from "effect";
import type { Contestant } from "../harness.js";
import { sink } from "./sink.js";

/** Peers from which a consumer takes, with backpressure of their own. */
export function channels(capacity: number, items: number): Contestant[] {
  return [
    {
      name: "effect",
      make: () => {
        const handOff = Effect.gen(function* () {
          const queue = yield* capacity === Number.POSITIVE_INFINITY
            ? Queue.unbounded<number>()
            : Queue.bounded<number>(capacity);
          yield* Effect.forkChild(
            Effect.gen(function* () {
              for (let i = 0; i < items; i++) yield* Queue.offer(queue, i);
            }),
          );
          for (let i = 0; i < items; i++) sink.sum += yield* Queue.take(queue);
        });
        return async (cycles) => {
          for (let i = 0; i < cycles; i++) await Effect.runPromise(handOff);
        };
      },
    },
    {
      name: "Readable",
      make: () => async (cycles) => {
        for (let i = 0; i < cycles; i++) {
          for await (const item of numbers(capacity, items)) sink.sum += item as number;
        }
      },
    },
  ];
}

function numbers(capacity: number, items: number): Readable {
  let next = 0;
  return new Readable({
    objectMode: true,
    highWaterMark: Math.min(capacity, items),
    read() {
      while (next < items) if (!this.push(next++)) return;
      this.push(null);
    },
  });
}
