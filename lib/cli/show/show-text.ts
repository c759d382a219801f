/** A model's listing for people. */
import { counted, formatBytes } from '../../format.js';
import { groupBy } from '../../group.js';
import { touchesFiles } from '../../guard/risky-ops.js';
import type { TensorInfo } from '../../saved-model/signatures.js';
import { formatShape, formatTags, table } from '../output/text.js';
import type { GraphOp } from './graph-ops.js';
import type { ModelListing } from './show-model.js';

/** Functions and places listed before the rest is only counted. */
const MOST_FUNCTIONS = 20;
const MOST_PLACES = 3;

export function describeModel(model: ModelListing): string[] {
  const sections = [
    overview(model),
    section('Signatures', signatureLines(model)),
    section('Assets', assetLines(model)),
    section(`Functions (${model.functions.length})`, functionLines(model)),
    section(...opsByType(model.ops)),
    section('Saved devices', deviceLines(model.ops)),
    section(...variableLines(model)),
    section('State', stateLines(model)),
    section('Ops that touch files', fileLines(model.ops)),
  ];
  return sections.flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [`${title}: none`] : [title, ...lines];
}

function overview(model: ModelListing): string[] {
  const { directory, metaGraphs, tags, tensorflowVersion } = model;
  const rows = [
    ['SavedModel', directory],
    ['MetaGraphs', metaGraphs.map(formatTags).join(', ')],
    ['shown', formatTags(tags)],
  ];
  if (tensorflowVersion !== '') rows.push(['saved by', `TensorFlow ${tensorflowVersion}`]);
  return table(rows);
}

function signatureLines({ signatures }: ModelListing): string[] {
  return Object.entries(signatures).flatMap(([name, { inputs, outputs, methodName }]) => {
    const method = methodName === '' ? '' : `  (${methodName})`;
    const rows = [...tensorRows('in', inputs), ...tensorRows('out', outputs)];
    return [`  ${name}${method}`, ...table(rows, '    ')];
  });
}

function tensorRows(direction: string, tensors: Readonly<Record<string, TensorInfo>>): string[][] {
  return Object.entries(tensors).map(([key, { name, dtype, shape }]) => [
    direction,
    key,
    dtype,
    formatShape(shape),
    name,
  ]);
}

function assetLines({ assets }: ModelListing): string[] {
  return table(
    assets.map(({ file, tensor }) => [file, tensor]),
    '  ',
  );
}

function functionLines({ functions }: ModelListing): string[] {
  const sorted = [...functions].sort((a, b) => b.ops - a.ops || a.name.localeCompare(b.name));
  const shown = sorted.slice(0, MOST_FUNCTIONS);
  const lines = table(
    shown.map(({ name, ops }) => [ops, name]),
    '  ',
  );
  const rest = sorted.length - shown.length;
  if (rest > 0) lines.push(`  … and ${rest} smaller (--json has all)`);
  return lines;
}

function opsByType(ops: readonly GraphOp[]): [title: string, lines: string[]] {
  const types = groupBy(ops, (op) => op.type);
  const rows = sortedBySize(types).map(([type, members]) => [members.length, type, devicesOf(members)]);
  const inFunctions = ops.filter((op) => op.function !== '').length;
  const title = `Ops by type (${counted(ops.length, 'op')} of ${counted(types.size, 'type')}, ${inFunctions} in functions)`;
  return [title, table(rows, '  ')];
}

/** `/CPU:0 ×3, none ×2`; nothing where no member has a device. */
function devicesOf(ops: readonly GraphOp[]): string {
  const devices = sortedBySize(groupBy(ops, (op) => op.device));
  if (devices.length === 1) return devices[0]![0];
  return devices
    .map(([device, members]) => `${device === '' ? 'none' : device} ×${members.length}`)
    .join(', ');
}

function deviceLines(ops: readonly GraphOp[]): string[] {
  const devices = groupBy(
    ops.filter((op) => op.device !== ''),
    (op) => op.device,
  );
  return table(
    sortedBySize(devices).map(([device, members]) => [members.length, device]),
    '  ',
  );
}

function variableLines({ variables }: ModelListing): [title: string, lines: string[]] {
  const total = variables.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  const lines = table(
    variables
      .slice(0, MOST_FUNCTIONS)
      .map(({ name, dtype, shape, bytes }) => [
        bytes === null ? '?' : formatBytes(bytes),
        dtype,
        formatShape(shape),
        name,
      ]),
    '  ',
  );
  const rest = variables.length - MOST_FUNCTIONS;
  if (rest > 0) lines.push(`  … and ${rest} smaller (--json has all)`);
  return [`Variables (${variables.length}, ${formatBytes(total)})`, lines];
}

function stateLines({ variables, resources, changes }: ModelListing): string[] {
  const held = [...resources].map(([type, count]) => `${type} ×${count}`);
  if (variables.length > 0) held.unshift(counted(variables.length, 'variable'));
  if (held.length === 0) return [];
  const changing = Object.entries(changes).map(
    ([name, types]) => `  the signature ${name} changes it: ${types.join(', ')}`,
  );
  return [
    `  ${held.join(', ')}`,
    ...(changing.length > 0 ? changing : ['  no signature changes it, as far as its ops tell']),
  ];
}

function fileLines(ops: readonly GraphOp[]): string[] {
  const types = groupBy(
    ops.filter((op) => touchesFiles(op.type) !== undefined),
    (op) => op.type,
  );
  return sortedBySize(types).flatMap(([type, members]) => {
    const places = [...groupBy(members, (op) => op.function).keys()].map((name) =>
      name === '' ? 'the main graph' : name,
    );
    const rest = places.length - MOST_PLACES;
    const listed = places.slice(0, MOST_PLACES).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
    return [`  ${type} ×${members.length}: ${touchesFiles(type)}`, `      in ${listed}`];
  });
}

function sortedBySize(groups: ReadonlyMap<string, GraphOp[]>): [string, GraphOp[]][] {
  return [...groups].sort(([a, x], [b, y]) => y.length - x.length || a.localeCompare(b));
}
