/** What an error says of rules that no op meets: names that are near, and the usual slips. */
import { didYouMean, TensorFlowError } from '../errors.js';
import { compileGlob } from './glob.js';
import type { GraphIndex } from './graph-index.js';
import { type CompiledRule, type Matcher, scopeOf, scopesAround } from './rules.js';
import { Slices } from './slices.js';

/** A rule that no op meets. */
export interface UnmatchedRule {
  readonly rule: CompiledRule;
  /** Ops that save, restore or initialise meet it. */
  readonly hasMetHousekeeping: boolean;
}

type Key = Matcher['key'];
type Names = Readonly<Record<Key, ReadonlySet<string>>>;

/** Rules that are explained; beyond these, many of one list have one cause. */
const MOST_EXPLAINED = 5;
/** Names whose distance is taken, out of any number. */
const MOST_COMPARED = 64;

/** The error that names all of them. */
export async function unmatchedRules(
  rules: readonly UnmatchedRule[],
  index: GraphIndex,
): Promise<TensorFlowError> {
  const slices = new Slices();
  const names = await collectNames(index, slices);
  const lines: string[] = [];
  for (const [i, { rule, hasMetHousekeeping }] of rules.entries()) {
    let why = '';
    if (hasMetHousekeeping) {
      why = ' Only ops that save, restore or initialise match it; they keep their devices.';
    } else if (i < MOST_EXPLAINED) {
      why = await explain(rule.matchers, names, slices);
    }
    lines.push(`${rule.label} matches no op.${why}`);
  }
  const way = 'A rule that may match nothing says `optional: true`.';
  return new TensorFlowError('INVALID_ARGUMENT', `${lines.join('\n')}\n${way}`);
}

/** What there is to match, each once. */
async function collectNames(index: GraphIndex, slices: Slices): Promise<Names> {
  const names = {
    op: new Set<string>(),
    type: new Set<string>(),
    scope: new Set<string>(),
    function: new Set<string>(),
  };
  for (let i = 0; i < index.length; i++) {
    if (slices.isOver(i)) await slices.next();
    if (index.isHousekeeping(i)) continue;
    const name = index.name(i);
    names.op.add(name);
    names.type.add(index.type(i));
    names.function.add(index.function(i));
    const scope = scopeOf(name);
    if (!names.scope.has(scope)) for (const each of scopesAround(scope)) names.scope.add(each);
  }
  names.function.delete('');
  return names;
}

async function explain(matchers: readonly Matcher[], names: Names, slices: Slices): Promise<string> {
  const idle: Matcher[] = [];
  for (const matcher of matchers) {
    if (!(await meetsSome((name) => matcher.test(name), names[matcher.key], slices))) idle.push(matcher);
  }
  if (idle.length === 0) return ' Each part of it holds for some op, but all of them for none.';
  let hints = '';
  for (const matcher of idle) {
    if (matchers.length > 1) hints += ` Nothing has the ${matcher.key} ${matcher.text}.`;
    hints += await hintFor(matcher, names, slices);
  }
  return hints;
}

async function hintFor({ key, exact, glob }: Matcher, names: Names, slices: Slices): Promise<string> {
  if (exact !== undefined) {
    const other = (['op', 'type', 'scope', 'function'] as const).find((each) => names[each].has(exact));
    if (other !== undefined)
      return ` There is ${TITLES[other]} of that name: ${other}: ${JSON.stringify(exact)}.`;
    return didYouMean(exact, await nearest(exact, names[key], slices));
  }
  const wider = glob?.replace(/\*+/g, '**');
  if (wider === undefined || wider === glob) return '';
  if (!(await meetsSome(compileGlob(wider), names[key], slices))) return '';
  return ` "*" stays within a scope; ${JSON.stringify(wider)} crosses scopes and would match.`;
}

const TITLES = { op: 'an op', type: 'an op type', scope: 'a scope', function: 'a function' } as const;

async function meetsSome(
  test: (name: string) => boolean,
  names: ReadonlySet<string>,
  slices: Slices,
): Promise<boolean> {
  let step = 0;
  for (const name of names) {
    if (slices.isOver(step++)) await slices.next();
    if (test(name)) return true;
  }
  return false;
}

/**
 * The names that are worth a comparison in full, which takes the square of a name's length: of 200,000 that would be
 * seconds.
 */
async function nearest(wanted: string, names: ReadonlySet<string>, slices: Slices): Promise<string[]> {
  const small = wanted.toLowerCase();
  const most = Math.max(2, Math.floor(wanted.length / 3));
  const measure = new Measure(small);
  let best: { name: string; distance: number }[] = [];
  let step = 0;
  for (const name of names) {
    if (slices.isOver(step++)) await slices.next();
    const other = name.toLowerCase();
    const atLeast = measure.atLeast(other);
    if (atLeast > most && !(small.length > 2 && other.includes(small))) continue;
    best.push({ name, distance: atLeast + measure.atMost(other) });
    if (best.length >= 16 * MOST_COMPARED) best = closest(best);
  }
  return closest(best).map(({ name }) => name);
}

function closest(names: { name: string; distance: number }[]): { name: string; distance: number }[] {
  return names.sort((a, b) => a.distance - b.distance).slice(0, MOST_COMPARED);
}

/** Cheap bounds of the edit distance to one text. */
class Measure {
  readonly #text: string;
  readonly #parts: readonly string[];
  readonly #counts = new Int32Array(256);

  constructor(text: string) {
    this.#text = text;
    this.#parts = text.split('/');
    for (let i = 0; i < text.length; i++) this.#counts[text.charCodeAt(i) & 255]!++;
  }

  /** By how often each character stands in it. */
  atLeast(other: string): number {
    const counts = this.#counts;
    let common = 0;
    for (let i = 0; i < other.length; i++) if (counts[other.charCodeAt(i) & 255]!-- > 0) common++;
    for (let i = 0; i < other.length; i++) counts[other.charCodeAt(i) & 255]!++;
    return Math.max(this.#text.length, other.length) - common;
  }

  /** By what the two, and the scopes in them one by one, begin and end with. */
  atMost(other: string): number {
    const whole = differing(this.#text, other);
    const parts = other.split('/');
    if (parts.length !== this.#parts.length) return whole;
    let sum = 0;
    for (let i = 0; i < parts.length; i++) sum += differing(this.#parts[i]!, parts[i]!);
    return Math.min(whole, sum);
  }
}

/** The length of what is left of the longer one without a common beginning and a common end. */
function differing(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let begin = 0;
  while (begin < shorter && a[begin] === b[begin]) begin++;
  let end = 0;
  while (end < shorter - begin && a.at(-1 - end) === b.at(-1 - end)) end++;
  return Math.max(a.length, b.length) - begin - end;
}
