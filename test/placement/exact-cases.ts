/** Small graphs with requests, and whether TensorFlow moves an op of them. */
import * as g from './graphs.js';

export const C = g.constant('c');
export const INIT = g.assign('init', 'v', 'c');
/** A function that reads its variable on a device. */
export const reader = (on = '') => g.fn('f', [g.read('r', 'a', on)], { out: 'r:value:0' });

/** A function that reads its variable, and hands the value through on a device. */
const passing = (on: string) =>
  g.fn('f', [g.read('r', 'a'), g.identity('y', 'r:value:0', on)], { out: 'y:output:0' });

/** A table made in a body, and its size, which is asked for in a further one. */
function tableInBody(on: string): g.Function[] {
  const result = { out: g.INT64 };
  const body = [g.table('t'), g.call('inner', 'size', ['t:table_handle:0'], '', g.INT64)];
  return [
    g.fn('f', body, { out: 'inner:output:0' }, {}, result),
    g.fn('size', [g.tableSize('n', 'a', on)], { out: 'n:size:0' }, { a: g.RESOURCE }, result),
  ];
}

/** Requests are the devices of the nodes. `moves`: an op that was asked somewhere runs elsewhere, or nothing runs. */
export const CASES: {
  title: string;
  moves: boolean;
  nodes: g.Node[];
  functions?: g.Function[];
  fetch: string;
}[] = [
  {
    title: 'a variable goes where its reader was asked',
    moves: false,
    nodes: [g.variable('v'), C, INIT, g.read('r', 'v', '/CPU:1')],
    fetch: 'r',
  },
  {
    title: 'one of two readers at odds',
    moves: true,
    nodes: [g.variable('v'), C, INIT, g.read('r', 'v', '/CPU:1'), g.read('r2', 'v', '/CPU:2')],
    fetch: 'r2',
  },
  {
    title: 'a reader away from its variable',
    moves: true,
    nodes: [g.variable('v', '/CPU:2'), C, INIT, g.read('r', 'v', '/CPU:1')],
    fetch: 'r',
  },
  {
    title: 'a variable goes where all that its users leave open lets it',
    moves: false,
    nodes: [
      ...[g.variable('v'), C, INIT, g.read('r', 'v', '/CPU:*'), g.read('r2', 'v', '/CPU:2')],
      ...[g.call('p', 'f', ['v'])],
    ],
    functions: [reader('/CPU:2')],
    fetch: 'p',
  },
  {
    title: 'any CPU is the first one to a variable',
    moves: true,
    nodes: [g.variable('v', '/CPU:*'), C, INIT, g.call('p', 'f', ['v'])],
    functions: [reader('/CPU:1')],
    fetch: 'p',
  },
  {
    title: 'any device with a number, tied to any CPU',
    moves: false,
    nodes: [
      ...[g.variable('v'), C, INIT, g.read('r', 'v')],
      ...[g.identity('a', 'r', '/CPU:*'), g.identity('b', 'a', '/device:*:2', g.tied('a'))],
    ],
    fetch: 'b',
  },
  {
    title: 'the same device in two spellings',
    moves: false,
    nodes: [g.variable('v', '/cpu:2'), C, INIT, g.read('r', 'v', '/device:CPU:2')],
    fetch: 'r',
  },
  {
    title: 'a reader in a body does not move the variable of the caller',
    moves: true,
    nodes: [g.variable('v'), C, INIT, g.call('p', 'f', ['v'])],
    functions: [reader('/CPU:1')],
    fetch: 'p',
  },
  {
    title: 'a reader in a body that is asked onto the variable’s device',
    moves: false,
    nodes: [g.variable('v', '/CPU:1'), C, INIT, g.call('p', 'f', ['v'], '/CPU:2')],
    functions: [reader('/CPU:1')],
    fetch: 'p',
  },
  {
    title: 'readers in the main graph and in a body agree',
    moves: false,
    nodes: [g.variable('v'), C, INIT, g.read('m', 'v', '/CPU:1'), g.call('p', 'f', ['v'])],
    functions: [reader('/CPU:1')],
    fetch: 'p',
  },
  {
    title: 'what hands a variable on is tied as well',
    moves: true,
    nodes: [
      ...[g.variable('v', '/CPU:2'), C, INIT],
      ...[g.identity('h', 'v', '/CPU:1', {}, g.RESOURCE), g.read('r', 'h')],
    ],
    fetch: 'r',
  },
  {
    title: 'a branch is tied to the variable given to it',
    moves: true,
    nodes: [g.variable('v', '/CPU:2'), C, INIT, g.condition('b'), g.branch('p', 'f', ['b', 'v'], '/CPU:1')],
    functions: [reader()],
    fetch: 'p',
  },
  {
    title: 'a branch takes the variable along',
    moves: false,
    nodes: [g.variable('v'), C, INIT, g.condition('b'), g.branch('p', 'f', ['b', 'v'], '/CPU:1')],
    functions: [reader('/CPU:1')],
    fetch: 'p',
  },
  {
    title: 'a branch that TensorFlow takes apart is free',
    moves: false,
    nodes: [
      g.variable('v', '/CPU:2'),
      C,
      INIT,
      g.condition('b'),
      g.branch('p', 'f', ['b', 'v'], '/CPU:1', true),
    ],
    functions: [reader()],
    fetch: 'p',
  },
  {
    title: 'the first user in the graph decides: the initialiser',
    moves: true,
    nodes: [g.variable('v'), C, g.assign('init', 'v', 'c', '/CPU:3'), g.read('r', 'v', '/CPU:1')],
    fetch: 'r',
  },
  {
    title: 'a reference: what reads the value is free',
    moves: false,
    nodes: [g.refVariable('v', '/CPU:2'), C, g.refAssign('init', 'v', 'c'), g.identity('r', 'v', '/CPU:3')],
    fetch: 'r',
  },
  {
    title: 'a reference: what changes the value is tied',
    moves: true,
    nodes: [g.refVariable('v', '/CPU:2'), C, g.refAssign('init', 'v', 'c', '/CPU:1')],
    fetch: 'init',
  },
  {
    title: 'a table goes where its user was asked',
    moves: false,
    nodes: [g.table('t'), C, g.tableSize('n', 't', '/CPU:1'), { ...C, name: 'init' }],
    fetch: 'n',
  },
  {
    title: 'a variable that a function makes and returns',
    moves: true,
    nodes: [
      g.call('p', 'make', [], '', g.RESOURCE),
      C,
      g.assign('init', 'p', 'c'),
      g.read('r', 'p', '/CPU:1'),
    ],
    functions: [g.fn('make', [g.variable('v', '/CPU:2')], { out: 'v:resource:0' }, {}, { out: g.RESOURCE })],
    fetch: 'r',
  },
  {
    title: 'a table in a body is where the call was asked, and so is who is given it there',
    moves: false,
    nodes: [g.call('p', 'f', [], '/CPU:2', g.INT64), { ...C, name: 'init' }],
    functions: tableInBody('/CPU:2'),
    fetch: 'p',
  },
  {
    title: 'and who is asked elsewhere is not',
    moves: true,
    nodes: [g.call('p', 'f', [], '/CPU:2', g.INT64), { ...C, name: 'init' }],
    functions: tableInBody('/CPU:1'),
    fetch: 'p',
  },
  {
    title: 'tied by _class, asked apart',
    moves: true,
    nodes: [
      ...[C, { ...C, name: 'init' }, g.identity('a', 'c', '/CPU:1')],
      g.identity('b', 'a', '/CPU:2', g.tied('a')),
    ],
    fetch: 'b',
  },
  {
    title: 'tied by _class, one asked',
    moves: false,
    nodes: [
      ...[g.variable('v'), C, INIT, g.read('r', 'v')],
      ...[g.identity('a', 'r', '/CPU:1'), g.identity('b', 'a', '', g.tied('a'))],
    ],
    fetch: 'b',
  },
  {
    title: 'tied in a body by a name that no op bears, asked apart',
    moves: true,
    nodes: [g.variable('v'), C, INIT, g.call('p', 'f', ['v'])],
    functions: [
      g.fn(
        'f',
        [
          g.read('r', 'a'),
          g.identity('x', 'r:value:0', '/CPU:1', g.tied('gone')),
          g.identity('y', 'x:output:0', '/CPU:2', g.tied('gone')),
        ],
        { out: 'y:output:0' },
      ),
    ],
    fetch: 'p',
  },
  {
    title: 'an op in a branch that is run as a whole',
    moves: true,
    nodes: [g.variable('v'), C, INIT, g.condition('p'), g.branch('e', 'f', ['p', 'v'])],
    functions: [passing('/CPU:2')],
    fetch: 'e',
  },
  {
    title: 'the same, where the condition and the variable were asked onto that device, too',
    moves: false,
    nodes: [g.variable('v', '/CPU:2'), C, INIT, g.condition('p'), g.branch('e', 'f', ['p', 'v'], '/CPU:2')],
    functions: [passing('/CPU:2')],
    fetch: 'e',
  },
  {
    title: 'the same, where the branches are taken apart',
    moves: false,
    nodes: [g.variable('v'), C, INIT, g.condition('p'), g.branch('e', 'f', ['p', 'v'], '', true)],
    functions: [passing('/CPU:2')],
    fetch: 'e',
  },
  {
    title: 'an op in a function that such a branch calls',
    moves: false,
    nodes: [g.variable('v'), C, INIT, g.condition('p'), g.branch('e', 'outer', ['p', 'v'])],
    functions: [g.fn('outer', [g.call('inner', 'f', ['a'])], { out: 'inner:output:0' }), passing('/CPU:2')],
    fetch: 'e',
  },
];
