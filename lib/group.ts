/** Things by what they have in common, in the order of the first of each. */
export function groupBy<T, K>(all: Iterable<T>, by: (each: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const each of all) {
    const key = by(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return groups;
}
