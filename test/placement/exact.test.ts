import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeRunMetadata, type RunMetadata } from '../../lib/config.js';
import { Session, type TensorFlowError, tensorflow } from '../../lib/index.js';
import { registeredKernels } from '../../lib/placed-graph.js';
import { colocationGroups, nodesToUntie, tornGroups, type Wishes } from '../../lib/placement/colocation.js';
import { deviceMatches } from '../../lib/placement/device.js';
import { checkExact, type ExactCheck } from '../../lib/placement/exact.js';
import { kernelLookup } from '../../lib/placement/kernels.js';
import type { ModelGraph } from '../../lib/placement/model-graph.js';
import { failure } from '../helpers/failure.js';
import * as g from './graphs.js';

const device = (type: string, index: number) => ({
  name: `/job:localhost/replica:0/task:0/device:${type}:${index}`,
  type,
});
const CPUS = [0, 1, 2, 3].map((index) => device('CPU', index));

/** The checks, where all kernels are there, and requests are the devices in the graph. */
function check(graph: ModelGraph, changes: Partial<ExactCheck> = {}): Promise<void> {
  return checkExact({
    graph,
    requested: (i) => graph.nodes[i]!.saved,
    isHousekeeping: () => false,
    devices: CPUS,
    kernels: () => 'yes',
    ignoreColocation: false,
    ...changes,
  });
}

/** What is wrong with a graph, a line each. */
async function faults(graph: ModelGraph, changes?: Partial<ExactCheck>): Promise<string[]> {
  const { message, code } = await failure(() => check(graph, changes));
  expect(code).toBe('INVALID_ARGUMENT');
  return message.split('\n').slice(1, -1);
}

/** Requests by name; the devices in the graph count as saved. */
function asking(graph: ModelGraph, devices: Record<string, string>): ExactCheck['requested'] {
  return (i) => devices[graph.nodes[i]!.name] ?? '';
}

const C = g.constant('c');
const INIT = g.assign('init', 'v', 'c');
/** A function that reads its variable on a device. */
const reader = (on = '') => g.fn('f', [g.read('r', 'a', on)], { out: 'r:value:0' });

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
const CASES: { title: string; moves: boolean; nodes: g.Node[]; functions?: g.Function[]; fetch: string }[] = [
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
];

describe('what exact says of a graph is what TensorFlow does with it', () => {
  beforeAll(async () => {
    await tensorflow.open({});
  });

  /** Where each op really ran, by name; undefined where the run failed. */
  async function actual(bytes: Uint8Array, fetch: string): Promise<Map<string, string> | undefined> {
    const session = await Session.fromGraphDef(bytes, {
      config: {
        deviceCount: { CPU: 4 },
        graphOptions: { rewriteOptions: { disableMetaOptimizer: true } },
      },
    });
    let metadata: RunMetadata | undefined;
    try {
      await session.run([], {}, { targets: ['init'] });
      await session.run(
        [fetch],
        {},
        {
          runOptions: { traceLevel: 'FULL_TRACE', outputPartitionGraphs: true },
          onRunMetadata: (encoded) => {
            metadata = decodeRunMetadata(encoded);
          },
        },
      );
    } catch (error) {
      expect((error as TensorFlowError).message).toMatch(/colocate|merge/);
      return undefined;
    } finally {
      await session.close();
    }
    const found = new Map<string, string>();
    for (const graph of metadata!.partitionGraphs)
      for (const node of graph.node) found.set(node.name, node.device);
    for (const { device: on, nodeStats } of metadata!.stepStats!.devStats) {
      for (const { nodeName } of nodeStats) found.set(nodeName, on);
    }
    return found;
  }

  it.each(CASES)('$title', async ({ moves, nodes, functions = [], fetch }) => {
    const bytes = g.graphBytes(nodes, ...functions);
    const graph = await g.decode(nodes, ...functions);
    const ran = await actual(bytes, fetch);
    const asked = graph.nodes.filter(
      ({ saved, name }) => saved !== '' && (ran === undefined || ran.has(name)),
    );
    if (ran !== undefined) expect(asked.length).toBeGreaterThan(0);
    const moved = asked.filter(
      ({ saved, name }) => ran !== undefined && !deviceMatches(saved, ran.get(name)!),
    );
    expect({ moved: ran === undefined || moved.length > 0, ran }).toMatchObject({ moved: moves });

    const verify = () => check(graph, { kernels: kernelLookup(registeredKernels) });
    if (!moves) return verify();
    const { message } = await failure(verify);
    for (const { name } of moved) expect(message).toContain(name);
  });
});

describe('what cannot be held', () => {
  it('a device that is not there, with what there is, once for all ops', async () => {
    const nodes = ['a', 'b', 'd', 'e', 'f', 'h', 'i'].map((name) => g.constant(name, '/GPU:3'));
    const graph = await g.decode([...nodes, g.constant('z', '/CPU:9')]);
    expect(await faults(graph)).toEqual([
      '- a, b, d, e, f and 2 more: asked onto /GPU:3: no such device. The session has /CPU:0, /CPU:1, /CPU:2, /CPU:3. Name one of these in the rule.',
      expect.stringMatching(/^- z: asked onto \/CPU:9: no such device/),
    ]);
    expect((await failure(() => check(graph))).op).toBe('a');
    await check(graph, { isHousekeeping: () => true });
  });

  it('a saved device that is not there, where saved devices count and the op can run', async () => {
    const dead = g.fn(
      'dead',
      [g.constant('d', '/GPU:0'), g.call('deeper', 'dead2', [])],
      { out: 'd:output:0' },
      {},
    );
    const dead2 = g.fn('dead2', [g.constant('d2', '/GPU:0')], { out: 'd2:output:0' }, {});
    const live = g.fn('live', [g.constant('l', '/GPU:0')], { out: 'l:output:0' }, {});
    const graph = await g.decode([g.call('p', 'live', []), g.constant('x')], dead, dead2, live);
    const requested = asking(graph, { x: '/CPU:0' });
    expect(await faults(graph, { requested, clearDevices: false })).toEqual([
      expect.stringMatching(/^- l \(in live\): saved on \/GPU:0: no such device\..* clearDevices: true/),
    ]);
    await check(graph, { requested, clearDevices: true });
    await check(graph, { requested });
  });

  it('a kernel that is not there', async () => {
    const graph = await g.decode([
      { name: 'jpeg', op: 'DecodeJpeg', device: '/GPU:0' },
      { name: 'odd', op: 'Odd', device: '/CPU:0' },
    ]);
    const devices = [...CPUS, device('GPU', 0)];
    const kernels: ExactCheck['kernels'] = ({ type }, on) => (type === 'Odd' || on === 'GPU' ? 'no' : 'yes');
    expect(await faults(graph, { devices, kernels })).toEqual([
      '- jpeg: asked onto /GPU:0: DecodeJpeg has no GPU kernel for these data types. Leave it out of the rule, or put it on /CPU:0.',
      '- odd: asked onto /CPU:0: Odd has no CPU kernel for these data types. Leave it out of the rule.',
    ]);
    await check(graph, { devices, kernels: () => 'unknown' });
    // `/device:*:0` is the CPU, too.
    const anyOf = (on: string) => asking(graph, { jpeg: on });
    await check(graph, { devices, kernels, requested: anyOf('/device:*:0') });
    expect(await faults(graph, { devices, kernels: () => 'no', requested: anyOf('/device:*:0') })).toEqual([
      '- jpeg: asked onto /device:*:0: DecodeJpeg has no CPU or GPU kernel for these data types. Leave it out of the rule.',
    ]);
  });

  it('nothing is wrong in a function that nothing calls', async () => {
    const body = [g.identity('x', 'a', '/CPU:1'), g.identity('y', 'x:output:0', '/CPU:2', g.tied('x'))];
    const graph = await g.decode([], g.fn('f', body, { out: 'y:output:0' }, { a: g.FLOAT }));
    await check(graph, { kernels: () => 'no' });
  });

  it('the rule that mends a reader names the variable, and mends it', async () => {
    const nodes = [g.variable('v'), g.call('p', 'f', ['v'])];
    const graph = await g.decode(nodes, reader());
    const requested = asking(graph, { r: '/CPU:1' });
    expect(await faults(graph, { requested })).toEqual([
      '- r (in f): asked onto /CPU:1, but works on v, which is on /CPU:0, and runs there. Put both on one device, as by a first rule { op: "v", device: "/CPU:1" }, or leave it out of the rule.',
    ]);
    await check(graph, { requested: asking(graph, { r: '/CPU:1', v: '/CPU:1' }) });
    await check(graph, { requested: asking(graph, { r: '/CPU:0' }) });
    await check(graph, { requested: asking(graph, { r: '/CPU:*' }) });
  });

  it('a variable of which nothing is said is on the GPU, where there is one and it can be there', async () => {
    const graph = await g.decode([g.variable('v'), g.call('p', 'f', ['v'])], reader());
    const devices = [...CPUS, device('GPU', 0), device('GPU', 1)];
    const onCpu = asking(graph, { r: '/CPU:0' });
    expect(await faults(graph, { devices, requested: onCpu })).toEqual([
      expect.stringMatching(/^- r \(in f\): asked onto \/CPU:0, but works on v, which is on \/GPU:0/),
    ]);
    await check(graph, { devices, requested: asking(graph, { r: '/GPU:0' }) });
    await check(graph, { devices, requested: onCpu, kernels: (_, on) => (on === 'GPU' ? 'no' : 'yes') });
  });

  it('a saved device counts for where a variable is, unless it is forgotten', async () => {
    const graph = await g.decode([g.variable('v', '/CPU:2'), g.call('p', 'f', ['v'])], reader());
    const requested = asking(graph, { r: '/CPU:0' });
    expect(await faults(graph, { requested, clearDevices: false })).toHaveLength(1);
    await check(graph, { requested, clearDevices: true });
  });

  it('a tie that is dropped does not say where a variable is', async () => {
    const graph = await g.decode(
      [
        ...[g.variable('v'), g.constant('x'), g.identity('y', 'x', '', g.tied('x', 'v'))],
        g.call('p', 'f', ['v']),
      ],
      reader(),
    );
    const requested = asking(graph, { x: '/CPU:1', y: '/CPU:2', r: '/CPU:1' });
    expect(await faults(graph, { requested, ignoreColocation: true })).toEqual([
      expect.stringMatching(/^- r \(in f\): .* works on v, which is on \/CPU:0/),
    ]);
    expect(await faults(graph, { requested })).toEqual([
      expect.stringMatching(/^- x on \/CPU:1, y on \/CPU:2: /),
    ]);
  });

  it('is looked for in slices, between which timers get their turns', async () => {
    // A chain that is tied from end to end, in two halves at odds, with a variable for every tenth.
    const nodes = Array.from({ length: 200_000 }, (_, i) => {
      if (i % 10 === 0) return g.variable(`n${i}`);
      if (i % 10 === 1) return g.read(`n${i}`, `n${i - 1}`, i < 100_000 ? '/CPU:1' : '/CPU:2');
      return g.identity(`n${i}`, `n${i - 1}`, '/CPU:*', i % 10 === 2 ? {} : g.tied(`n${i - 1}`));
    });
    const graph = await g.decode(nodes);
    for (const options of [{ ignoreColocation: true }, { kernels: () => 'no' as const }]) {
      let isDone = false;
      let turns = 0;
      const checking = check(graph, options).then(
        () => '',
        (error: Error) => error.message,
      );
      void checking.then(() => {
        isDone = true;
      });
      while (!isDone) {
        await setImmediate();
        turns++;
      }
      expect(turns).toBeGreaterThan(20);
      if (!('kernels' in options)) expect(await checking).toBe('');
      else expect(await checking).toMatch(/ and \d+ more: asked onto .* kernel/);
    }
  });

  it('twenty faults are listed, and the rest is counted', async () => {
    const graph = await g.decode(Array.from({ length: 25 }, (_, i) => g.constant(`c${i}`, `/GPU:${i}`)));
    const lines = await faults(graph);
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('- and 5 more');
  });
});

describe('ties by _class', () => {
  /** `a` and `b`, `b` and `d` are tied, so are `x` and `y`; a body has ops of the same names. */
  const tiedGraph = (saved = '') => {
    const body = [g.identity('a', 'in'), g.identity('b', 'a:output:0')];
    return g.decode(
      [
        ...[g.constant('a'), g.identity('b', 'a', saved, g.tied('a')), g.identity('d', 'a', '', g.tied('b'))],
        ...[
          g.identity('x', 'a'),
          g.identity('y', 'a', '', g.tied('x')),
          g.identity('self', 'a', '', g.tied('self')),
        ],
      ],
      g.fn('f', body, { out: 'b:output:0' }, { in: g.FLOAT }),
    );
  };

  it('go on from member to member, within one scope', async () => {
    const groups = await colocationGroups(await tiedGraph());
    expect(groups.map(g.names)).toEqual([
      ['a', 'b', 'd'],
      ['x', 'y'],
    ]);
  });

  const wishes = (graph: ModelGraph, devices: Record<string, string>) => ({
    requested: asking(graph, devices),
    isHousekeeping: () => false,
    devices: [...CPUS, device('GPU', 0), device('GPU', 5)],
  });

  it('are torn by requests, and by a request against a saved device', async () => {
    const torn = async (devices: Record<string, string>, saved = '') => {
      const graph = await tiedGraph(saved);
      return (await tornGroups(graph, wishes(graph, devices))).map(g.names);
    };
    expect(await torn({ a: '/CPU:0', d: '/CPU:1', x: '/CPU:2' })).toEqual([['a', 'b', 'd']]);
    expect(await torn({ a: '/CPU:0' }, '/CPU:1')).toEqual([['a', 'b', 'd']]);
    expect(await torn({}, '/CPU:1')).toEqual([]);
    expect(await torn({ a: '/CPU:0' }, 'no device at all')).toHaveLength(1);
  });

  it('leave what requests leave open, as far as there is a device for all', async () => {
    const graph = await tiedGraph();
    const torn = async (devices: Record<string, string>) =>
      (await tornGroups(graph, wishes(graph, devices))).length;
    expect(await torn({ a: '/CPU:0', d: '/device:CPU:0', b: '/CPU:*' })).toBe(0);
    expect(await torn({ a: '/CPU:*', b: '/device:*:1', d: '/job:localhost' })).toBe(0);
    expect(await torn({ a: '/CPU:*', b: '/device:*:5' })).toBe(1);
    expect(await torn({ a: '/CPU:*', b: '/GPU:*' })).toBe(1);
    // A device that is not there is a fault of its own.
    expect(await torn({ a: '/CPU:*', b: '/device:*:9' })).toBe(0);
  });

  it('that have to go are those of torn groups; what is forgotten tears none', async () => {
    const untied = async (graph: ModelGraph, changes: Partial<Wishes>) =>
      [...(await nodesToUntie(graph, { ...wishes(graph, { a: '/CPU:0' }), ...changes }))].map(
        (i) => graph.nodes[i]!.name,
      );
    const graph = await tiedGraph();
    const requested = asking(graph, { a: '/CPU:0', d: '/CPU:1', x: '/CPU:2' });
    expect(await untied(graph, { requested })).toEqual(['b', 'd']);
    const saved = await tiedGraph('/CPU:1');
    expect(await untied(saved, { clearDevices: false })).toEqual(['b', 'd']);
    expect(await untied(saved, { clearDevices: true })).toEqual([]);
    const isHousekeeping = (i: number) => saved.nodes[i]!.name === 'b';
    expect(await untied(saved, { clearDevices: true, isHousekeeping })).toEqual(['b', 'd']);
  });

  it('the fault shows what is at odds, and goes with ignoreColocation', async () => {
    const graph = await tiedGraph();
    const of = asking(graph, { a: '/CPU:0', b: '/CPU:0', d: '/CPU:1' });
    const requested = (i: number) => (graph.nodes[i]!.function === '' ? of(i) : '');
    expect(await faults(graph, { requested })).toEqual([
      '- a on /CPU:0, d on /CPU:1, b on /CPU:0: the model ties these together (_class), so they can only be on one device. Ask for one device for all of them, or load with ignoreColocation: true.',
    ]);
    await check(graph, { requested, ignoreColocation: true });
  });
});
