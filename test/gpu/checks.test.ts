/**
 * The checks for GPUs, without one: each expectation of each check holds for what is well, and fails, alone, for what is not.
 * What was not seen never passes.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Seen, samples } from './samples.js';

interface Check {
  title: string;
  needs: string[];
  see(context: unknown): Promise<unknown>;
  judge(seen: Seen): { what: string; saw: string; holds: boolean }[];
}

const FOLDER = new URL('../../scripts/gpu/checks/', import.meta.url);
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -4));
const checks = new Map<string, Check>();
for (const name of names) checks.set(name, (await import(new URL(`${name}.mjs`, FOLDER).href)) as Check);

it('every check has samples, and every sample a check', () => {
  expect(Object.keys(samples).sort()).toEqual(names.sort());
});

/** What does not hold. A judge that cannot read what was seen counts as a failure of the program, too. */
function failing(check: Check, seen: Seen): string[] {
  try {
    return check
      .judge(seen)
      .filter(({ holds }) => holds !== true)
      .map(({ what }) => what);
  } catch (error) {
    return [`it throws: ${error}`];
  }
}

/** Every place in what was seen, but what is only told and never judged. */
function places(value: Seen, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.keys(value).filter((key) => path.length > 0 || !['noted', 'skipped'].includes(key));
  return [...(path.length > 0 ? [path] : []), ...below.flatMap((key) => places(value[key], [...path, key]))];
}

function changed(seen: Seen, path: string[], change: (holder: Seen, key: string) => void): Seen {
  const copy = structuredClone(seen);
  const holder = path.slice(0, -1).reduce((inner, key) => inner[key], copy);
  change(holder, path.at(-1)!);
  return copy;
}

describe.each([...checks])('%s', (name, check) => {
  const { good, wrong } = samples[name] ?? { good: [], wrong: [] };

  it('says what it is, and what it needs', () => {
    expect(check.title).toMatch(/\S/);
    expect(Array.isArray(check.needs)).toBe(true);
    expect(check.see).toBeTypeOf('function');
  });

  it('holds for what is well, and tells what was seen', () => {
    expect(good).not.toEqual([]);
    for (const seen of good) {
      const expectations = check.judge(structuredClone(seen));
      expect(failing(check, seen)).toEqual([]);
      expect(expectations).not.toEqual([]);
      for (const { saw } of expectations) expect(saw).toMatch(/\S/);
      expect(new Set(expectations.map(({ what }) => what)).size).toBe(expectations.length);
    }
  });

  it.each(wrong)('fails alone: %s', (what, bend, of = 0) => {
    const seen = structuredClone(good[of]);
    bend(seen);
    expect(failing(check, seen)).toEqual([what]);
  });

  it('has such a sample for each expectation', () => {
    const all = new Set(good.flatMap((seen) => check.judge(seen)).map(({ what }) => what));
    expect(new Set(wrong.map(([what]) => what))).toEqual(all);
  });

  it('fails where anything is missing, or no number', () => {
    expect(failing(check, {})).not.toEqual([]);
    for (const seen of good) {
      for (const path of places(seen)) {
        const without = changed(seen, path, (holder, key) => {
          if (Array.isArray(holder)) holder[Number(key)] = undefined;
          else delete holder[key];
        });
        // A device on which nothing ran is in no count.
        const mayBeMissing = /^[CG]PU:\d+$/.test(path.at(-1)!);
        if (!mayBeMissing) expect(failing(check, without), `without ${path.join('.')}`).not.toEqual([]);
        const isNumber = typeof path.reduce((inner, key) => inner[key], seen) === 'number';
        if (!isNumber) continue;
        const nan = changed(seen, path, (holder, key) => {
          holder[key] = Number.NaN;
        });
        expect(failing(check, nan), `NaN at ${path.join('.')}`).not.toEqual([]);
      }
    }
  });
});
