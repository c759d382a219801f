// Chance that is the same in every run, and bytes damaged by it.

/** Numbers from 0 up to below `limit`, the same ones in every run. */
export function randomSource(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** `bytes` with one to four of them changed, removed or doubled. */
export function mutated(bytes, random) {
  const copy = [...bytes];
  for (let n = random(4); n >= 0; n--) {
    const at = random(copy.length);
    const kind = random(4);
    if (kind === 0) copy.splice(at, 1 + random(3));
    else if (kind === 1) copy.splice(at, 0, ...copy.slice(at, at + 1 + random(8)));
    else copy[at] = kind === 2 ? random(256) : (copy[at] ?? 0) ^ (1 << random(8));
  }
  return new Uint8Array(copy);
}

/** The source of the input of that number, which needs no other input before it. */
export function sourceOf(seed, number) {
  let mixed = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 0;
  const random = randomSource((mixed ^ (mixed >>> 13)) >>> 0);
  random(2);
  return random;
}

/** One of them. */
export const pick = (list, random) => list[random(list.length)];
