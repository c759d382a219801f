/** Rules of placement: which ops go to which device. Checked at the door, then compiled for the walk over a graph. */
import { types } from 'node:util';
import { invalidOption, readOptions } from '../options.js';
import { show } from '../show.js';
import { canonicalDevice, parseDevice } from './device.js';
import { compileGlob, isGlob } from './glob.js';

/** A RegExp, in JSON. It is searched for in the name, as by `RegExp.test`. */
export interface RegexJson {
  regex: string;
  /** As of a RegExp. Default: none. */
  flags?: string;
}

/** A name: exact, as a glob that matches whole names (`*` within a scope, `**` across scopes), or as a RegExp. */
export type NamePattern = string | RegExp | RegexJson;

/** Where some ops go. All that a rule says of an op must hold for it; it must say something. */
export interface PlacementRule {
  /** The op's name, with or without `:0`. */
  op?: NamePattern | undefined;
  /** Its type: `MatMul`. */
  type?: NamePattern | undefined;
  /** Everything below this scope: `'tower_1'` is all whose name begins with `tower_1/`. A glob or a RegExp matches scopes. */
  scope?: NamePattern | undefined;
  /** The function in whose body it stands; `''` is the main graph. Without it, ops of the main graph and of every function are meant. */
  function?: NamePattern | undefined;
  /** `/CPU:1`, `/GPU:0`, a full name; `''`: none, TensorFlow chooses. */
  device: string;
  /** True: it need not match anything. Default: false. */
  optional?: boolean | undefined;
}

type Key = 'op' | 'type' | 'scope' | 'function';
const PATTERN_KEYS: readonly Key[] = ['op', 'type', 'scope', 'function'];
const RULE_KEYS = [...PATTERN_KEYS, 'device', 'optional'];
const LONGEST_GLOB = 1000;
const MOST_RULES = 1_000_000;

/** A name's pattern, compiled. */
export interface Matcher {
  readonly key: Key;
  /** For messages. */
  readonly text: string;
  /** The one name that it means, or the scope; undefined for a glob or a RegExp. */
  readonly exact: string | undefined;
  readonly glob: string | undefined;
  /** Of `scope` it is asked for the innermost scope that a node stands in, `''` for none, as of `function`. */
  test(name: string): boolean;
}

/** A rule, ready for a walk. */
export interface CompiledRule {
  readonly matchers: readonly Matcher[];
  /** As the rule says it. */
  readonly device: string;
  readonly optional: boolean;
  /** For messages: `placement[2] { op: "a/**" }`. */
  readonly label: string;
}

/**
 * Rules from what a caller or a file gave.
 *
 * @param where what error messages call the array
 * @throws TensorFlowError INVALID_OPTION naming rule and key
 */
export function compileRules(value: unknown, where = 'placement'): CompiledRule[] {
  if (!Array.isArray(value)) throw invalidOption(`${where} must be an array of rules, not ${show(value)}.`);
  if (value.length > MOST_RULES) throw invalidOption(`${where} has more than ${MOST_RULES} rules.`);
  return Array.from({ length: value.length }, (_, i) => compileRule(value[i], `${where}[${i}]`));
}

function compileRule(given: PlacementRule, where: string): CompiledRule {
  const rule = readOptions(given, RULE_KEYS, where);
  if (rule.device === undefined) throw invalidOption(`${where} says no device.`);
  parseDevice(rule.device, `${where}.device`);
  if (rule.optional !== undefined && typeof rule.optional !== 'boolean') {
    throw invalidOption(`${where}.optional must be true or false, not ${show(rule.optional)}.`);
  }
  const keys = PATTERN_KEYS.filter((key) => rule[key] !== undefined);
  if (keys.length === 0) {
    throw invalidOption(
      `${where} says no op: give op, type, scope or function. { op: "**" } is every op of the model.`,
    );
  }
  const matchers = keys.map((key) => compilePattern(key, rule[key], `${where}.${key}`));
  return {
    matchers,
    device: rule.device,
    optional: rule.optional === true,
    label: `${where} { ${matchers.map(({ key, text }) => `${key}: ${text}`).join(', ')} }`,
  };
}

function compilePattern(key: Key, pattern: NamePattern | undefined, where: string): Matcher {
  if (typeof pattern === 'string') return compileText(key, pattern, where);
  // A RegExp of another realm is no instance of this one's.
  // Copied by what it is: its properties may have been written to.
  const regex = types.isRegExp(pattern) ? new RegExp(pattern) : regexFromJson(pattern, where);
  // One of its own without a place to go on from: `g` and `y` would skip every other name.
  const own = new RegExp(regex.source, regex.flags.replace(/[gy]/g, ''));
  try {
    own.test(''); // which makes a program of it
  } catch (error) {
    throw invalidOption(`${where} is no usable regular expression: ${(error as Error).message.slice(-100)}.`);
  }
  const test = testOf(key, (name) => own.test(name));
  return { key, text: String(own), exact: undefined, glob: undefined, test };
}

function regexFromJson(value: unknown, where: string): RegExp {
  if (typeof value !== 'object' || value === null) {
    throw invalidOption(
      `${where} must be a name, a glob, or a RegExp ({ "regex": "…" } in JSON), not ${show(value)}.`,
    );
  }
  const { regex, flags = '' } = readOptions(value as RegexJson, ['regex', 'flags'], where);
  if (typeof regex !== 'string') throw invalidOption(`${where}.regex must be a string, not ${show(regex)}.`);
  if (typeof flags !== 'string') throw invalidOption(`${where}.flags must be a string, not ${show(flags)}.`);
  try {
    return new RegExp(regex, flags);
  } catch (error) {
    throw invalidOption(`${where}.regex is no regular expression: ${(error as Error).message}.`);
  }
}

function compileText(key: Key, given: string, where: string): Matcher {
  // The main graph is the function without a name.
  if (given === '' && key !== 'function') throw invalidOption(`${where} is empty.`);
  if (given.length > LONGEST_GLOB && isGlob(given)) {
    throw invalidOption(`${where} is longer than ${LONGEST_GLOB} characters.`);
  }
  const text = JSON.stringify(given);
  const name = withoutOutput(key, given);
  if (isGlob(name)) return { key, text, exact: undefined, glob: name, test: testOf(key, compileGlob(name)) };
  const test =
    key === 'scope'
      ? (scope: string) => scope === name || scope.startsWith(`${name}/`)
      : (other: string) => other === name;
  return { key, text, exact: name, glob: undefined, test };
}

/** An op may be named as a tensor is, `a:0`, in a function's body `a:output:0`; a scope with a slash behind it. */
function withoutOutput(key: Key, given: string): string {
  if (key === 'op') return given.replace(/(?::[a-z]\w*)?:\d+$/i, '');
  return key === 'scope' ? given.replace(/\/+$/, '') : given;
}

/** What a glob or a RegExp says of a node: of a scope also what it says of those around it; no function matches none. */
function testOf(key: Key, matches: (name: string) => boolean): (name: string) => boolean {
  if (key === 'scope') return (scope) => scopesAround(scope).some(matches);
  return key === 'function' ? (name) => name !== '' && matches(name) : matches;
}

/** The innermost scope that a node stands in: `a/b` of `a/b/c`, or `''`. */
export function scopeOf(name: string): string {
  return name.slice(0, Math.max(name.lastIndexOf('/'), 0));
}

/** A scope and all around it: `a` and `a/b` of `a/b`. */
export function scopesAround(scope: string): string[] {
  if (scope === '') return [];
  const scopes: string[] = [];
  for (let at = scope.indexOf('/'); at !== -1; at = scope.indexOf('/', at + 1))
    scopes.push(scope.slice(0, at));
  return [...scopes, scope];
}

/** The device that is written into the graph for a rule. */
export function nativeDevice(device: string): string {
  return device === '' ? '' : canonicalDevice(device);
}
