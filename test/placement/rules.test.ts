import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type CompiledRule, compileRules, nativeDevice, scopeOf } from '../../lib/placement/rules.js';
import { failure } from '../helpers/failure.js';

const compile = (rule: object): CompiledRule => compileRules([{ device: '/CPU:1', ...rule }])[0]!;

/** Whether a rule with one pattern holds for a name; for `scope`, the name of an op. */
function holds(rule: object, name: string): boolean {
  const [matcher] = compile(rule).matchers;
  return matcher!.test(matcher!.key === 'scope' ? scopeOf(name) : name);
}

describe('patterns of rules', () => {
  it.each([
    [{ op: 'a/b' }, 'a/b', true],
    [{ op: 'a/b:0' }, 'a/b', true],
    [{ op: 'a/b:output:0' }, 'a/b', true],
    [{ op: 'a/b' }, 'a/b/c', false],
    [{ op: 'a/*:0' }, 'a/b', true],
    [{ op: '**b' }, 'a/b', true],
    [{ op: /b$/ }, 'a/b', true],
    [{ op: /^b/ }, 'a/b', false],
    [{ op: { regex: '^A/', flags: 'i' } }, 'a/b', true],
    [{ op: { regex: '^A/' } }, 'a/b', false],
    [{ type: 'MatMul' }, 'MatMul', true],
    [{ type: 'MatMul' }, 'BatchMatMul', false],
    [{ type: '*MatMul*' }, 'BatchMatMulV2', true],
    [{ type: /^(Mat|Conv)/ }, 'Conv2D', true],
    [{ function: '**encoder**' }, '__inference_encoder_12', true],
    [{ function: '**encoder**' }, '__inference_decoder_12', false],
    // The main graph is no function.
    [{ function: '**' }, '', false],
    [{ function: /.*/ }, '', false],
    [{ scope: 'a' }, 'a/b', true],
    [{ scope: 'a/' }, 'a/b/c', true],
    [{ scope: 'a' }, 'a', false],
    [{ scope: 'a' }, 'ab/c', false],
    [{ scope: 'a/b' }, 'a/b/c', true],
    [{ scope: 'a/b' }, 'a/bc/c', false],
    [{ scope: 'tower_*' }, 'tower_1/x/y', true],
    [{ scope: 'tower_*' }, 'tower_1', false],
    [{ scope: '**/self' }, 'a/self/b', true],
    [{ scope: '**' }, 'a', false],
    [{ scope: /^tower_\d$/ }, 'tower_1/x/y', true],
    [{ scope: /^tower_\d$/ }, 'tower_12/x', false],
  ])('%o of %j: %j', (rule, name, expected) => {
    expect(holds(rule, name)).toBe(expected);
  });

  it('hold the same each time, whatever flags a RegExp has, and leave it as it was', () => {
    for (const flags of ['g', 'y', 'gy', 'gi']) {
      const op = new RegExp('a', flags);
      op.lastIndex = 1;
      const [matcher] = compile({ op }).matchers;
      expect([1, 2, 3].map(() => matcher!.test('a/b'))).toEqual([true, true, true]);
      expect(op.lastIndex).toBe(1);
    }
    expect(holds({ op: { regex: 'a', flags: 'g' } }, 'ba')).toBe(true);
  });

  it('may be a RegExp of another realm', () => {
    expect(holds({ op: runInNewContext('/b$/') }, 'a/b')).toBe(true);
  });

  it('are read at the door: a later change of the caller’s rules changes nothing', () => {
    const rule = { op: 'a', device: '/cpu:1' };
    const [compiled] = compileRules([rule]);
    Object.assign(rule, { op: 'b', device: '/cpu:2' });
    expect(compiled!.device).toBe('/cpu:1');
    expect(compiled!.matchers[0]!.test('a')).toBe(true);
  });
});

describe('checks of rules', () => {
  it('keep the device as it was typed, and say what a rule is called', () => {
    expect(compile({ op: 'a', type: 'MatMul', device: '/cpu:1' })).toMatchObject({
      device: '/cpu:1',
      optional: false,
      label: 'placement[0] { op: "a", type: "MatMul" }',
    });
    expect(compile({ op: /a/i, optional: true })).toMatchObject({
      optional: true,
      label: 'placement[0] { op: /a/i }',
    });
    expect(nativeDevice('/cpu:1')).toBe('/device:CPU:1');
    expect(nativeDevice('')).toBe('');
  });

  it.each([
    [{ op: 'a', devise: '/CPU:0' }, 'placement[0] has no key "devise". Did you mean "device"?'],
    [{ op: 'a', device: undefined }, 'placement[0] says no device.'],
    [{ op: 'a', device: 'CPU:1' }, 'Did you mean "/CPU:1"?'],
    [{ op: 'a', device: 1 }, 'placement[0].device must be a device'],
    [{ op: 'a', optional: 'yes' }, 'placement[0].optional must be true or false, not "yes".'],
    [{}, 'placement[0] says no op: give op, type, scope or function.'],
    [{ op: undefined }, 'placement[0] says no op'],
    [{ op: '' }, 'placement[0].op is empty.'],
    [{ op: 1 }, 'placement[0].op must be a name, a glob, or a RegExp'],
    [{ op: null }, 'placement[0].op must be a name, a glob, or a RegExp'],
    [{ op: 'a', type: ['MatMul'] }, 'placement[0].type must be'],
    [{ scope: `${'a'.repeat(1000)}*` }, 'placement[0].scope is longer than 1000 characters.'],
    [{ function: { regex: '(' } }, 'placement[0].function.regex is no regular expression: '],
    [{ op: { regex: 'a', flags: 'k' } }, 'placement[0].op.regex is no regular expression: '],
    [{ op: { regex: 1 } }, 'placement[0].op.regex must be a string, not 1.'],
    [{ op: { regex: 'a', flags: 1 } }, 'placement[0].op.flags must be a string, not 1.'],
    [{ op: { regexp: 'a' } }, 'placement[0].op has no key "regexp". Did you mean "regex"?'],
  ])('%j: %s', async (rule, expected) => {
    const { code, message } = await failure(() => compile(rule));
    expect(code).toBe('INVALID_OPTION');
    expect(message).toContain(expected);
  });

  it('name the rule by its place and the array as it is called', async () => {
    const good = { op: 'a', device: '/CPU:0' };
    const third = await failure(() => compileRules([good, good, { ...good, op: 7 }], '--rules'));
    expect(third.message).toContain('--rules[2].op must be');
    for (const bad of ['**', { op: 'a' }, null, undefined, 3]) {
      expect((await failure(() => compileRules(bad))).message).toContain(
        'placement must be an array of rules',
      );
    }
    for (const bad of [null, 'a', 1, undefined, [good]]) {
      expect((await failure(() => compileRules([good, bad]))).message).toContain(
        'placement[1] must be an object.',
      );
    }
    // biome-ignore lint/suspicious/noSparseArray: what is left out is no rule either
    expect((await failure(() => compileRules([, good]))).message).toContain('placement[0]');
  });
});
