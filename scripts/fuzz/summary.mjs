// What came of a campaign, for people.

/** Whether it is more than TensorFlow's own way of ending a process, where that is known. */
export const isFault = ({ what, isOurs, isKnown }) =>
  what === 'foreign' || what === 'hang' || isOurs === true || (what === 'death' && !isKnown);

export function summary({ kind, inputs, ends, found }) {
  const lines = [`${kind}: ${inputs} inputs`];
  lines.push(
    ...Object.entries(ends).map(([way, counts]) => {
      const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
      return `  ${way}: ${sorted.map(([end, count]) => `${end} ${count}`).join(', ')}`;
    }),
  );
  const groups = new Map();
  for (const one of found) {
    const key = `${one.what}${one.isOurs ? ', OURS' : ''}${one.isKnown ? ', known' : ''} ${one.at ?? one.text.split('\n')[0]}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  for (const [key, all] of [...groups].sort(([, a], [, b]) => b.length - a.length)) {
    const some = all.slice(0, 5).map(({ number, way }) => `${number} (${way})`);
    lines.push(
      `  ${all.length} × ${key}: ${some.join(', ')}`,
      `      ${all[0].text.split('\n').slice(0, 3).join(' | ').slice(0, 300)}`,
    );
  }
  return lines.join('\n');
}
