/** A copy of another length; what doesn't fit is left out. */
export function resized<A extends Float64Array | Int32Array>(array: A, length: number): A {
  const copy = new (array.constructor as new (length: number) => A)(length);
  copy.set(array.length > length ? (array.subarray(0, length) as A) : array);
  return copy;
}
