import { describe, expect, it } from 'vitest';
import { compileGlob, isGlob } from '../../lib/placement/glob.js';

describe('globs', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', 'a/b', false],
    ['*', 'a', true],
    ['*', 'a/b', false],
    ['*', '', true],
    ['a/*', 'a/b', true],
    ['a/*', 'a/b/c', false],
    ['a/*/c', 'a/b/c', true],
    ['a/*/c', 'a/b/b/c', false],
    ['a*c', 'abc', true],
    ['a*c', 'a/c', false],
    ['*a*', 'bab', true],
    ['*a*', 'b/ab', false],
    ['**', 'a/b/c', true],
    ['**', 'a', true],
    ['a/**', 'a/b/c', true],
    ['a/**', 'a', false],
    ['a/**', 'ab/c', false],
    ['**/x', 'x', true],
    ['**/x', 'a/b/x', true],
    ['**/x', 'ax', false],
    ['**/x', 'x/y', false],
    ['a/**/x', 'a/x', true],
    ['a/**/x', 'a/b/c/x', true],
    ['a/**/x', 'a/bx', false],
    ['**/a/**', 'a/b', true],
    ['**/a/**', 'c/a/b', true],
    ['**/a/**', 'c/a', false],
    ['a**/x', 'ab/c/x', true],
    ['a**/x', 'ax', false],
    ['**encoder**', '__inference_encoder_layer_12', true],
    ['**encoder**', 'model/my_encoder/MatMul', true],
    ['**encoder**', 'model/decoder', false],
    ['***/x', 'x', true],
    ['a****b', 'a/c/b', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['a?c', 'ac', false],
    ['?', '', false],
    ['??', 'ab', true],
    ['*?', 'a', true],
    ['*?', '', false],
    ['', '', true],
    ['', 'a', false],
    ['a[b]', 'a[b]', true],
    ['a[b]', 'ab', false],
    ['a.c', 'abc', false],
    ['{a,b}*', '{a,b}c', true],
    ['a\\*', 'a\\b', true],
    ['^a$', '^a$', true],
    ['A', 'a', false],
    ['*\n', 'a\n', true],
  ])('%j of %j: %j', (glob, name, expected) => {
    expect(compileGlob(glob)(name)).toBe(expected);
  });

  it('are told from plain names by their stars and question marks', () => {
    expect(['a*', '?', '**'].every(isGlob)).toBe(true);
    expect(['a/b', 'a[0]', ''].some(isGlob)).toBe(false);
  });

  it('agree with a plain search of all ways to match, on random globs and names', () => {
    const random = randomNumbers(7);
    const text = (letters: readonly string[], most: number) =>
      Array.from({ length: random(most + 1) }, () => letters[random(letters.length)]).join('');
    let met = 0;
    for (let i = 0; i < 20_000; i++) {
      const glob = text(['a', 'b', '/', '*', '**', '**/', '?', '/a', 'ab'], 6);
      const matches = compileGlob(glob);
      for (let k = 0; k < 5; k++) {
        const name = text(['a', 'b', '/', 'ab', '/b'], 6);
        const expected = search(glob, name);
        if (matches(name) !== expected) expect.fail(`${glob} of ${name} should be ${expected}`);
        if (expected) met++;
      }
    }
    expect(met).toBeGreaterThan(5000);
  });

  it('take no time of their own for many stars and a long name', { timeout: 20_000 }, () => {
    const name = 'a'.repeat(10_000);
    expect(compileGlob('**a**a**a**a**a**b')(name)).toBe(false);
    expect(compileGlob('**a*a**a*a**a*a**b*?')(`${name}b`)).toBe(false);
    expect(compileGlob(`${'*a'.repeat(200)}?/b`)(`b/${name}`)).toBe(false);
    expect(compileGlob(`${'**/a'.repeat(100)}/?b?`)(`${'a/'.repeat(5000)}/b`)).toBe(false);
    expect(compileGlob('?*'.repeat(100))(name)).toBe(true);
  });
});

/** What a glob means, read from its text character by character, every way being tried. */
function search(glob: string, name: string, isStart = true): boolean {
  if (glob === '') return name === '';
  const stars = /^\*+/.exec(glob)?.[0].length ?? 0;
  if (stars > 1 && glob[stars] === '/' && isStart) {
    const rest = glob.slice(stars + 1);
    if (search(rest, name)) return true;
    return [...name].some((c, i) => c === '/' && search(rest, name.slice(i + 1)));
  }
  if (stars > 0) {
    const rest = glob.slice(stars);
    for (let i = 0; i <= name.length; i++) {
      if (search(rest, name.slice(i), false)) return true;
      if (stars === 1 && name[i] === '/') return false;
    }
    return false;
  }
  if (name === '') return false;
  const fits = glob[0] === '?' ? name[0] !== '/' : glob[0] === name[0];
  return fits && search(glob.slice(1), name.slice(1), glob[0] === '/');
}

/** Whole numbers below a limit, the same in each run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
