import { describe, expect, it } from 'vitest';
import { NO_RULE } from '../../lib/placement/assign.js';
import type { PlacementRule } from '../../lib/placement/rules.js';
import { failure } from '../helpers/failure.js';
import { deciders, ENCODER, ROWS, run } from './node-table.js';

const _ = NO_RULE;

describe('a rule that meets no op', () => {
  const message = async (...rules: PlacementRule[]) => {
    const error = await failure(run(rules));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(/\nA rule that may match nothing says `optional: true`\.$/);
    return error.message;
  };
  const device = '/CPU:1';

  it('is an error, with near names', async () => {
    expect(await message({ op: 'tower_1/dense/MatMull:0', device })).toContain(
      'placement[0] { op: "tower_1/dense/MatMull:0" } matches no op. Did you mean "tower_1/dense/MatMul"',
    );
    expect(await message({ type: 'matmul', device })).toContain('Did you mean "MatMul"?');
    expect(await message({ scope: 'tower1', device })).toContain('Did you mean "tower_1"');
    expect(await message({ function: '__inference_encoder_13', device })).toContain(
      `Did you mean "${ENCODER}"?`,
    );
  });

  it('may be optional', async () => {
    expect(await deciders([{ op: 'nothing', device, optional: true }])).toEqual(ROWS.map(() => _));
  });

  it('is no error where earlier rules took its ops', async () => {
    const rules = [
      { op: '**', device },
      { type: 'MatMul', device },
      { scope: '**', device },
    ];
    expect(await deciders(rules)).toEqual([0, 0, 0, _, _, 0, 0]);
  });

  it('says when only ops that save, restore or initialise meet it', async () => {
    expect(await message({ scope: 'save', device })).toContain(
      'Only ops that save, restore or initialise match it; they keep their devices.',
    );
    expect(await message({ op: 'save/Assign', device })).toContain('Only ops that save');
    expect(await message({ op: 'save/Asign', device })).not.toContain('Did you mean');
  });

  it('says when its parts hold, but not for one op', async () => {
    expect(await message({ scope: 'tower_1', function: '**', device })).toContain(
      'Each part of it holds for some op, but all of them for none.',
    );
    expect(await message({ scope: 'tower_1', type: 'Rellu', device })).toContain(
      'Nothing has the type "Rellu". Did you mean "Relu"?',
    );
  });

  it('says when a name is there, as something else', async () => {
    expect(await message({ op: 'MatMul', device })).toContain(
      'There is an op type of that name: type: "MatMul".',
    );
    expect(await message({ op: 'tower_1', device })).toContain(
      'There is a scope of that name: scope: "tower_1".',
    );
    expect(await message({ op: ENCODER, device })).toContain('There is a function of that name');
    expect(await message({ scope: 'x', device })).toContain('There is an op of that name: op: "x".');
  });

  it('says when its stars stay within a scope', async () => {
    expect(await message({ op: '*dense*', device })).toContain('"**dense**" crosses scopes and would match.');
    expect(await message({ op: '*nothing*', device })).not.toContain('crosses');
  });

  it('is named along with all others', async () => {
    const text = await message(
      { op: 'a1', device },
      { op: 'x', device },
      ...Array.from({ length: 9 }, (__, i) => ({ op: `none_${i}`, device })),
      { op: /nope/, device },
    );
    const lines = text.split('\n');
    expect(lines).toHaveLength(12);
    expect(lines.map((line) => /^placement\[(\d+)\]/.exec(line)?.[1]).slice(0, -1)).toEqual([
      '0',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '9',
      '10',
      '11',
    ]);
    expect(lines[10]).toContain('{ op: /nope/ } matches no op.');
  });
});
