/**
 * What was thrown, on its way between threads. A structured clone of an error has neither its name, if that isn't one of the
 * language's, nor its code, nor any other fact.
 */
export type PackedError =
  | { readonly value: unknown }
  | {
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly facts: Readonly<Record<string, unknown>>;
      readonly cause?: PackedError;
      readonly errors?: readonly PackedError[];
    };

/** Causes of causes, and errors in errors, go along up to this depth: they may lead in a circle. */
const MAX_LEVELS = 8;

/** They keep their class; others become an `Error` with their name. */
const BUILT_IN = new Map<string, ErrorConstructor>(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((type) => [type.name, type]),
);

/** What cannot be cloned is left out, or becomes its text. */
export function pack(error: unknown, level = 0): PackedError {
  if (!(error instanceof Error)) return { value: isCloneable(error) ? error : textOf(error) };
  const facts: Record<string, unknown> = {};
  for (const key of ["code", ...Object.keys(error)]) {
    const value = read(error, key);
    if (value !== undefined && !TOLD.has(key) && isCloneable(value)) facts[key] = value;
  }
  const [cause, errors] = [read(error, "cause"), read(error, "errors")];
  const inner = level + 1;
  return {
    name: textOf(read(error, "name")),
    message: textOf(read(error, "message")),
    stack: textOf(read(error, "stack")),
    facts,
    ...(cause !== undefined && inner < MAX_LEVELS ? { cause: pack(cause, inner) } : {}),
    ...(Array.isArray(errors) && inner < MAX_LEVELS
      ? { errors: errors.map((each) => pack(each, inner)) }
      : {}),
  };
}

const TOLD = new Set(["name", "message", "stack", "cause", "errors"]);

export function unpack(packed: PackedError): unknown {
  if ("value" in packed) return packed.value;
  const { name, message, stack, facts } = packed;
  const options = packed.cause === undefined ? undefined : { cause: unpack(packed.cause) };
  const error =
    packed.errors === undefined
      ? new (BUILT_IN.get(name) ?? Error)(message, options)
      : new AggregateError(packed.errors.map(unpack), message, options);
  const hidden = { configurable: true, enumerable: false, writable: true };
  if (error.name !== name) Object.defineProperty(error, "name", { ...hidden, value: name });
  Object.defineProperty(error, "stack", { ...hidden, value: stack });
  return Object.assign(error, facts);
}

/** Anything can be thrown, also what throws when it is looked at. */
function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
