/** Signatures as TypeScript: what `SavedModel.load<Signatures>` takes. */
import type { Signatures, TensorInfo } from './signatures.js';

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * A module that exports the type `Signatures`.
 *
 * @param name what the package is imported as
 * @param comment a line at the head, about the model
 */
export function signatureSource(signatures: Signatures, comment: string, name = 'tf-session'): string {
  const entries = Object.entries(signatures).map(([key, { inputs, outputs }]) =>
    [
      `  ${keyText(key)}: {`,
      ...tensorsText('inputs', inputs),
      ...tensorsText('outputs', outputs),
      '  };',
    ].join('\n'),
  );
  const isUsed = Object.values(signatures).some(
    ({ inputs, outputs }) => Object.keys(inputs).length + Object.keys(outputs).length > 0,
  );
  return [
    `// ${comment.replaceAll(/[\r\n\u2028\u2029]/g, ' ')}`,
    '// Made by `tf-session types`. A dimension of any size is a number, a shape of any rank number[].',
    ...(isUsed ? [`import type { TensorSpec } from ${JSON.stringify(name)};`] : []),
    '',
    entries.length === 0 ? 'export type Signatures = Record<never, never>;' : 'export type Signatures = {',
    ...(entries.length === 0 ? [] : [...entries, '};']),
    '',
  ].join('\n');
}

function tensorsText(kind: string, tensors: Readonly<Record<string, TensorInfo>>): string[] {
  const all = Object.entries(tensors);
  if (all.length === 0) return [`    ${kind}: Record<never, never>;`];
  const rows = all.map(
    ([key, { dtype, shape }]) => `      ${keyText(key)}: TensorSpec<'${dtype}', ${shapeText(shape)}>;`,
  );
  return [`    ${kind}: {`, ...rows, '    };'];
}

function shapeText(shape: TensorInfo['shape']): string {
  if (shape === null) return 'number[]';
  return `[${shape.map((size) => (size === -1 ? 'number' : String(size))).join(', ')}]`;
}

/** Names of a model are anything: quoted where they are no identifiers. */
function keyText(key: string): string {
  return IDENTIFIER.test(key)
    ? key
    : JSON.stringify(key).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
