/** The longest that a timer of Node's can be set to; p-queue takes no longer timeout from version 10 on. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** What p-queue takes of an options object. Nothing in it is checked. */
export interface Options {
  readonly id?: unknown;
  readonly priority?: unknown;
  readonly timeout?: unknown;
  readonly signal?: unknown;
}

export function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** What p-queue makes of the options, each read once. `passed` is for p-queue to read: it fails there as it would have failed without us. */
export function read(given: unknown): { options: Options; passed: unknown; isBroken: boolean } {
  // p-queue spreads what it gets, and there is nothing in primitives that it would find.
  if (given === undefined) return NOTHING;
  if (!isObject(given)) return { options: {}, passed: given, isBroken: given === null };
  try {
    const options: Options = { ...given, id: (given as Options).id };
    return { options, passed: options, isBroken: false };
  } catch (error) {
    const passed = {
      get id(): never {
        throw error;
      },
    };
    return { options: {}, passed, isBroken: true };
  }
}

const NOTHING = { options: {}, passed: undefined, isBroken: false };

export function isAborted(signal: unknown): boolean {
  try {
    return Boolean((signal as AbortSignal | null | undefined)?.aborted);
  } catch {
    return false;
  }
}

export function reasonOf(signal: unknown): unknown {
  try {
    return (signal as AbortSignal | null | undefined)?.reason;
  } catch {
    return undefined;
  }
}

/**
 * Whether p-queue refuses a task with these options. Asked before the task is added: handling the promise that says so would hide its rejection
 * from the user, and how many tasks wait may change meanwhile for other reasons.
 */
export function isRefused({ signal, priority }: Options, timeout: unknown, isVersion9: boolean): boolean {
  if (isAborted(signal)) return true;
  if (timeout !== undefined && !(Number.isFinite(timeout) && (timeout as number) > 0)) return true;
  if (isVersion9) return false;
  const isOrdered = priority === undefined || (typeof priority === "number" && !Number.isNaN(priority));
  return !isOrdered || (timeout as number) > LONGEST_TIMEOUT;
}

/** Whether it can fail or be aborted in ways that only p-queue's events tell of. */
export function isUnusual({ signal, priority, id }: Options): boolean {
  const hasUsualPriority = priority === undefined || typeof priority === "number";
  const hasUsualId = id === undefined || typeof id === "string";
  return Boolean(signal) || !hasUsualPriority || !hasUsualId;
}

export function refusal(): Error {
  return new Error("p-queue refused the task");
}
