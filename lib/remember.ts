/** Look-ups that are kept for the next time, but not without end: a program may make up keys for ever. */

const MOST = 256;

/** Keeps `value` under `key`; where the map is full, the oldest entry goes. */
export function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (map.size >= MOST) map.delete(map.keys().next().value!);
  map.set(key, value);
}

/** A value that is made when it is first asked for: what `import` need not wait for. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** A function of a text that is asked for a few texts, each many times. */
export function remembered<T>(of: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    if (!known.has(text)) known.set(text, of(text));
    return known.get(text)!;
  };
}
