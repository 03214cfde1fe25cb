/** How many numbers share one buffer: each buffer costs some 200 bytes beside its content. */
const PAGE = 1_024;

let page = new ArrayBuffer(8 * PAGE);
let used = 0;

/** So many numbers, all 0, next to those that were asked for before. */
export function numbers(length: number): Float64Array {
  if (used + length > PAGE) {
    page = new ArrayBuffer(8 * Math.max(PAGE, length));
    used = 0;
  }
  const made = new Float64Array(page, 8 * used, length);
  used += length;
  return made;
}
