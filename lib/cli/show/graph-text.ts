/** The ops one by one: as a list, and as a graph in DOT. */

import { touchesFiles } from '../../guard/risky-ops.js';
import { changesState } from '../../placement/stateful.js';
import { table } from '../output/text.js';
import { type GraphListing, type GraphOp, inputsOf } from './graph-ops.js';

/** Fill colours by device, in the order in which devices are met; none for ops without one. */
const COLOURS = ['#cfe3f5', '#fbe0bf', '#cfeccf', '#ecd3e8', '#f6cdc8', '#e3dccf', '#c8ecef', '#ecedc4'];

/** A line for each op. */
export function opLines(ops: readonly GraphOp[]): string[] {
  return table([
    ['op', 'type', 'function', 'saved device', 'mark'],
    ...ops.map(({ name, type, function: inFunction, device }) => [
      name,
      type,
      inFunction === '' ? '(main graph)' : inFunction,
      device,
      markOf(type),
    ]),
  ]);
}

/** What is worth knowing of an op of this type beyond what it computes. */
export function markOf(type: string): string {
  return [touchesFiles(type), changesState(type) ? 'changes state' : undefined]
    .filter((text) => text !== undefined)
    .join('; ');
}

/** A digraph: a cluster for each function, ops filled by device, those with a mark as octagons, edges of order dashed. */
export function dotText({ ops, nodes }: GraphListing, isShown: (op: GraphOp) => boolean): string {
  const ids = new Map<string, string>();
  const clusters = new Map<string, string[]>();
  const colours = new Map<string, string>();
  ops.forEach((op, i) => {
    if (!isShown(op)) return;
    ids.set(`${op.function}\n${op.name}`, `n${i}`);
    const mark = markOf(op.type);
    if (op.device !== '' && !colours.has(op.device)) {
      colours.set(op.device, COLOURS[colours.size % COLOURS.length]!);
    }
    const attributes = [
      `label=${quoted(`${op.name}\n${op.type}${op.device === '' ? '' : `\n${op.device}`}`)}`,
      op.device === '' ? '' : `style=filled, fillcolor="${colours.get(op.device)}"`,
      mark === '' ? '' : `shape=octagon, tooltip=${quoted(mark)}`,
    ].filter((text) => text !== '');
    const own = clusters.get(op.function) ?? [];
    own.push(`    n${i} [${attributes.join(', ')}];`);
    clusters.set(op.function, own);
  });
  const edges = ops.flatMap((op, i) => {
    if (!isShown(op)) return [];
    return inputsOf(nodes[i]!).flatMap((input) => {
      const isControl = input.startsWith('^');
      const source = ids.get(`${op.function}\n${input.replace(/^\^/, '').split(':')[0]}`);
      return source === undefined ? [] : [`  ${source} -> n${i}${isControl ? ' [style=dashed]' : ''};`];
    });
  });
  const groups = [...clusters].map(([name, own], i) =>
    name === ''
      ? own.join('\n')
      : `  subgraph cluster_${i} {\n    label=${quoted(name)};\n${own.join('\n')}\n  }`,
  );
  return [
    'digraph model {',
    '  node [shape=box, fontname="sans-serif", fontsize=10];',
    ...groups,
    ...edges,
    '}',
  ].join('\n');
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
