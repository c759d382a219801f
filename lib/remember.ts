/** Look-ups that are kept for the next time, but not without end: a program may make up keys for ever. */

const MOST = 256;

/** Keeps `value` under `key`; where the map is full, the oldest entry goes. */
export function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (map.size >= MOST) map.delete(map.keys().next().value!);
  map.set(key, value);
}
