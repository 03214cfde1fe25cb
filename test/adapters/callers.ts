import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { context } from "@opentelemetry/api";
import { vi } from "vitest";
import { currentCorrelationId, withCorrelationId } from "../../src/telemetry/context/correlation.js";

const key = Symbol.for("test.key");

/** Calls it as a named caller: with a correlation ID, and with a value in OTel's context. */
export function as<R>(who: string, fn: () => R): R {
  return withCorrelationId(who, () => context.with(context.active().setValue(key, who), fn));
}

/** In whose context the caller is. */
export function who(): string {
  const id = currentCorrelationId();
  const value = context.active().getValue(key);
  return id === value ? `${id}` : `${id} and ${String(value)}`;
}

/** The same, if it stays so over a turn of the event loop. */
export async function whoThroughout(): Promise<string> {
  const before = who();
  await turn();
  return before === who() ? before : `${before}, then ${who()}`;
}

/** Time stands still from now on but for `vi.advanceTimersByTime`; timers and turns of the event loop go on. */
export function stopClock(): void {
  vi.useFakeTimers({ toFake: ["performance", "Date"] });
}

/** How many of what it makes are kept, though nothing else holds them. */
export async function kept(make: () => Iterable<object> | Promise<Iterable<object>>): Promise<number> {
  const refs = await weakly(make);
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const left = () => refs.filter((ref) => ref.deref() !== undefined).length;
  // A weak reference that was made or read stays strong until the turn of the event loop is over. What is held stays so for ever,
  // what isn't may outlive one collection.
  for (let i = 0; i < 10; i++) {
    await turn();
    collectGarbage();
    await turn();
    if (left() === 0) break;
  }
  return left();
}

async function weakly(make: () => Iterable<object> | Promise<Iterable<object>>): Promise<WeakRef<object>[]> {
  return Array.from(await make(), (each) => new WeakRef(each));
}

/** The rejections that stay unhandled while it runs. */
export async function unhandledIn(fn: () => unknown): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const listeners = process.listeners("unhandledRejection");
  process
    .removeAllListeners("unhandledRejection")
    .on("unhandledRejection", (reason: unknown) => unhandled.push(reason));
  await fn();
  await turn();
  await turn();
  process.removeAllListeners("unhandledRejection");
  for (const listener of listeners) process.on("unhandledRejection", listener);
  return unhandled;
}

/** What an object has of its own, in order: names and descriptors. */
export function ownOf(object: object): [PropertyKey, PropertyDescriptor | undefined][] {
  return Reflect.ownKeys(object).map((key) => [key, Object.getOwnPropertyDescriptor(object, key)]);
}
