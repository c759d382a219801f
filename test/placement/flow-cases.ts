/** Small graphs with TensorFlow 1's control flow, requests, and whether TensorFlow moves an op of them. */
import { encodeConfig } from '../../lib/config.js';
import * as g from './graphs.js';

const HEAD = [g.constant('c'), { ...g.constant('c'), name: 'init' }, g.condition('p')];
const FEEDS = { f: 1 };

/** The devices asked for, by name. */
export type Asked = Readonly<Record<string, string>>;

export function put(nodes: readonly g.Node[], asked: Asked): g.Node[] {
  return nodes.map((node) => ({ ...node, device: asked[node.name!] ?? node.device ?? '' }) as g.Node);
}

/** `y` is `x` by one of two ways. */
export function choice(data = 'x', condition = 'p'): g.Node[] {
  return [
    g.flow('Switch', 's', [data, condition]),
    g.identity('no', 's'),
    g.identity('yes', 's:1'),
    g.flow('Merge', 'm', ['no', 'yes']),
    g.identity('y', 'm'),
  ];
}

/** `y` is `x`, doubled up to `limit`, with `k` as a further value that stays, which `users` use. */
export function loop(users: readonly string[] = ['k1']): g.Node[] {
  const last = users.at(-1);
  return [
    g.enter('e', 'x'),
    g.flow('Merge', 'm', ['e', 'n']),
    g.enter('l', 'limit', true),
    g.binary('Less', 'less', 'm', 'l'),
    g.flow('LoopCond', 'lc', ['less']),
    g.flow('Switch', 's', ['m', 'lc']),
    g.identity('b', 's:1'),
    g.enter('k', 'x', true),
    ...users.map((name, i) => g.binary('Add', name, users[i - 1] ?? 'b', 'k')),
    g.flow('NextIteration', 'n', [last ?? 'b']),
    g.flow('Exit', 'z', ['s']),
    g.identity('y', 'z'),
  ];
}

/** Before a loop. */
export const LIMIT = g.binary('Add', 'limit', 'x10', 'x10');
const LOOP = [...HEAD, g.identity('x', 'c'), g.binary('Mul', 'x10', 'x', 'x'), LIMIT];

/** The same in a body, whose argument is the data. */
export function choiceInBody(data: string, asked: Asked): g.Function {
  const nodes = [
    g.identity('d', 'a'),
    g.binary('Less', 'q', 'a', 'a'),
    g.flow('Switch', 's', [data, 'q:z:0']),
    g.identity('no', 's:output_false:0'),
    g.identity('yes', 's:output_true:0'),
    g.flow('Merge', 'm', ['no:output:0', 'yes:output:0']),
  ];
  return g.fn('f', put(nodes, asked), { out: 'm:output:0' }, { a: g.FLOAT });
}

/** Fusions off, as exact has it: they may take the data of a `Switch` away. */
const CONFIG = encodeConfig({ graphOptions: { rewriteOptions: { disableMetaOptimizer: true } } })!;

export function callOn(device = ''): g.Node {
  const node = g.call('y', 'f', ['x0'], device);
  return {
    ...node,
    attr: { ...node.attr!, Tin: g.types(g.FLOAT), config_proto: { value: { case: 's', value: CONFIG } } },
  } as g.Node;
}

const CALLED = [...HEAD, g.identity('x0', 'c')];

export interface FlowCase {
  title: string;
  moves: boolean;
  nodes: g.Node[];
  functions?: g.Function[];
  feeds?: Record<string, number>;
  fetch: string;
}

const of = (
  title: string,
  moves: boolean,
  nodes: g.Node[],
  asked: Asked,
  more: Partial<FlowCase> = {},
): FlowCase => ({ title, moves, nodes: put(nodes, asked), fetch: 'y', ...more });

const CHOICE = [...HEAD, g.identity('x', 'c'), ...choice()];
const OF_CONSTANT = [...HEAD, ...choice('c')];
const SWITCHES = [
  ...[...HEAD, g.identity('x', 'c'), g.condition('q')],
  ...[g.flow('Switch', 's1', ['x', 'p']), g.flow('Switch', 's2', ['s1:1', 'q']), g.identity('y', 's2:1')],
];
const OF_FED = [...HEAD, g.placeholder('f'), ...choice('f')];

export const FLOW_CASES: FlowCase[] = [
  of('a Switch alone', true, CHOICE, { s: '/CPU:1' }),
  of('a Switch away from its data', true, CHOICE, { s: '/CPU:1', x: '/CPU:2' }),
  of('a Switch with its data', false, CHOICE, { s: '/CPU:1', x: '/CPU:1', p: '/CPU:2' }),
  of('a Switch where TensorFlow puts its data by itself', false, CHOICE, { s: '/CPU:0' }),
  of('a Merge and what is in the branches', false, CHOICE, { m: '/CPU:1', yes: '/CPU:2', no: '/CPU:3' }),
  of('a constant goes to its only user', false, OF_CONSTANT, { s: '/CPU:1' }),
  of('a constant with users at odds', true, [...OF_CONSTANT, g.identity('u', 'c')], { s: '/CPU:1' }),
  of('a constant with users that agree', false, [...OF_CONSTANT, g.identity('u', 'c')], {
    ...{ s: '/CPU:1', u: '/CPU:1' },
  }),
  of('a Switch of what is fed', true, OF_FED, { s: '/CPU:1', f: '/CPU:1' }, { feeds: FEEDS }),
  of('and where that is', false, OF_FED, { s: '/CPU:0', f: '/CPU:1' }, { feeds: FEEDS }),
  of('a Switch of a Switch, both away', true, SWITCHES, { x: '/CPU:1', s1: '/CPU:2', s2: '/CPU:3' }),
  of('a Switch of a Switch, with it', false, SWITCHES, { x: '/CPU:1', s1: '/CPU:1', s2: '/CPU:1' }),
  of('an Enter alone', true, LOOP.concat(loop()), { e: '/CPU:1' }),
  of('an Enter with its user', false, LOOP.concat(loop()), { e: '/CPU:1', m: '/CPU:1' }),
  of('an Enter beside one of its users', true, LOOP.concat(loop(['k1', 'k2', 'k3'])), {
    ...{ k: '/CPU:3', k1: '/CPU:1', k2: '/CPU:2', k3: '/CPU:3' },
  }),
  of('an Enter with all of its users', false, LOOP.concat(loop(['k1', 'k2'])), {
    ...{ k: '/CPU:3', k1: '/CPU:3', k2: '/CPU:3' },
  }),
  of('a NextIteration alone', true, LOOP.concat(loop()), { n: '/CPU:1' }),
  of('a NextIteration with its Merge', false, LOOP.concat(loop()), { n: '/CPU:1', m: '/CPU:1' }),
  of('an Exit alone', true, LOOP.concat(loop()), { z: '/CPU:1' }),
  of('an Exit goes where its Switch goes', false, LOOP.concat(loop()), { z: '/CPU:1', m: '/CPU:1' }),
  of('and not where its Switch was asked', true, LOOP.concat(loop()), { z: '/CPU:1', s: '/CPU:1' }),
  of('a Merge, a LoopCond and what they take', false, LOOP.concat(loop()), {
    ...{ m: '/CPU:1', lc: '/CPU:2', less: '/CPU:3', b: '/CPU:2', k1: '/CPU:1' },
  }),
  of(
    'a Switch in a body, alone',
    true,
    [...CALLED, callOn()],
    {},
    { functions: [choiceInBody('d:output:0', { s: '/CPU:1' })] },
  ),
  of(
    'a Switch in a body, with its data',
    false,
    [...CALLED, callOn()],
    {},
    {
      functions: [choiceInBody('d:output:0', { s: '/CPU:1', d: '/CPU:1' })],
    },
  ),
  of(
    'a Switch of an argument, which is where the call is',
    false,
    [...CALLED, callOn('/CPU:1')],
    {},
    {
      functions: [choiceInBody('a', { s: '/CPU:1' })],
    },
  ),
  of(
    'and not where the data comes from',
    true,
    [...CALLED, callOn('/CPU:1')],
    { x0: '/CPU:2' },
    {
      functions: [choiceInBody('a', { s: '/CPU:2' })],
    },
  ),
];
