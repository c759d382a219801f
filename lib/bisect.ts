/** How many elements at the beginning of a list hold something, where none holds it behind the first that does not. */
export function leading<T>(all: readonly T[], holds: (each: T) => boolean): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(all[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
