import { beforeAll, describe, expect, it } from 'vitest';
import { ModelGraph } from '../../lib/placement/model-graph.js';
import { NodeList } from '../../lib/placement/node-list.js';
import { MetaGraphDefSchema } from '../../lib/proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { openLibrary } from '../../lib/runtime/tensorflow.js';
import { readFullMetaGraph, readMetaGraphBytes } from '../../lib/saved-model/reader.js';
import { payloads } from '../../lib/saved-model/wire.js';
import { failure } from '../helpers/failure.js';
import { turnsDuring } from '../helpers/turns.js';
import { fixture } from '../saved-model/models.js';
import * as g from './graphs.js';

/** The GraphDef of a fixture. */
async function graphDefOf(name: string): Promise<Uint8Array> {
  const bytes = await readMetaGraphBytes(fixture(name), ['serve']);
  return payloads(bytes, MetaGraphDefSchema.field.graphDef.number)[0]!;
}

const FIXTURES = [
  'tf2-functions',
  'tf1-variables',
  'assets-tables',
  'counter',
  'endless',
  'several-signatures',
];

beforeAll(() => openLibrary());

describe('a graph decoded node by node', () => {
  it.each(FIXTURES)('%s: has the nodes that the whole message has, in its order', async (name) => {
    const graph = await ModelGraph.decode(await graphDefOf(name));
    const whole = (await readFullMetaGraph(fixture(name), ['serve'])).graphDef!;
    const listed = [
      ...whole.node.map((node) => ['', node] as const),
      ...(whole.library?.function ?? []).flatMap((f) =>
        f.nodeDef.map((node) => [f.signature!.name, node] as const),
      ),
    ];
    expect(graph.nodes.map((node) => [node.function, node.def])).toEqual(listed);
    expect(graph.nodes.map(({ index }) => index)).toEqual(listed.map((_, i) => i));
    for (const f of whole.library?.function ?? []) {
      expect(graph.functions.get(f.signature!.name)).toMatchObject({ signature: f.signature, ret: f.ret });
    }
  });

  it.each(FIXTURES)('%s: is the same with a list of its nodes', async (name) => {
    const bytes = await graphDefOf(name);
    const list = await NodeList.read(bytes);
    const [whole, lazy] = [await ModelGraph.decode(bytes), await ModelGraph.decode(bytes, list)];
    expect(lazy.nodes.map((node) => lazy.calls(node))).toEqual(whole.nodes.map((node) => whole.calls(node)));
    for (const [i, node] of lazy.nodes.entries()) {
      const { index, name: own, type, function: scope, saved, def } = whole.nodes[i]!;
      expect(node).toMatchObject({ index, name: own, type, function: scope, saved });
      expect(node.def).toEqual(def);
    }
  });

  it.each(FIXTURES)('%s: every edge leads somewhere', async (name) => {
    const graph = await ModelGraph.decode(await graphDefOf(name));
    for (const node of graph.nodes) {
      const data = node.def.input.filter((input) => !input.startsWith('^'));
      const sources = graph.inputs(node);
      expect(sources, node.name).toHaveLength(data.length);
      for (const [i, source] of sources.entries()) {
        const from =
          source.node?.name ?? graph.functions.get(node.function)!.signature.inputArg[source.arg!]!.name;
        expect(from).toBe(data[i]!.split(':')[0]);
      }
      expect(graph.controlInputs(node)).toHaveLength(node.def.input.length - data.length);
    }
  });

  it.each(['tf2-functions', 'counter'])('%s: what is read is found through the calls', async (name) => {
    const graph = await ModelGraph.decode(await graphDefOf(name));
    const called = graph.nodes.filter(
      (node) => node.function !== '' && graph.callers(node.function).length > 0,
    );
    const reads = called.filter(({ type }) => type === 'ReadVariableOp');
    expect(reads.length).toBeGreaterThan(0);
    for (const node of reads) {
      const origins = graph.resourceOrigins(node, 0);
      expect(
        origins.map(({ type }) => type),
        `${node.function}/${node.name}`,
      ).toContain('VarHandleOp');
      expect(new Set(origins.map(({ type }) => type))).toEqual(new Set(['VarHandleOp']));
    }
  });

  it('leaves the event loop its turns', async () => {
    const nodes = Array.from({ length: 40_000 }, (_, i) => g.identity(`n${i}`, i === 0 ? 'c' : `n${i - 1}`));
    const bytes = g.graphBytes([g.constant('c'), ...nodes]);
    const decoding = ModelGraph.decode(bytes);
    const { turns } = await turnsDuring(decoding);
    expect((await decoding).nodes).toHaveLength(40_001);
    expect(turns).toBeGreaterThan(5);
  });

  it('says DATA_LOSS of bytes that are none', async () => {
    const bytes = await graphDefOf('tf2-functions');
    expect((await failure(ModelGraph.decode(bytes.subarray(0, bytes.length - 3)))).code).toBe('DATA_LOSS');
    expect((await failure(ModelGraph.decode(Uint8Array.of(10, 3, 10, 9, 65)))).code).toBe('DATA_LOSS');
  });
});

describe('inputs', () => {
  it('keep their place where one leads nowhere', async () => {
    const graph = await g.decode([
      g.constant('c'),
      { name: 'x', op: 'AddN', input: ['gone', 'c:0', 'c:7', '^c', '^gone'] },
    ]);
    const [c, x] = graph.nodes;
    expect(graph.inputs(x!)).toEqual([{ output: 0 }, { node: c, output: 0 }, { node: c, output: 7 }]);
    expect(graph.controlInputs(x!)).toEqual([c]);
  });

  it('in bodies are arguments or named outputs, which a function used as an op numbers', async () => {
    const two = g.fn('two', [], {}, { a: g.FLOAT }, { first: g.FLOAT, second: g.FLOAT });
    const body = [
      { name: 'op', op: 'two', input: ['b'] },
      { name: 's', op: 'Split', input: ['a', 'op:second:0', 's0:output:3'] },
      { name: 's0', op: 'Split', input: [] },
    ];
    const graph = await g.decode([], two, g.fn('f', body, { out: 's:output:1' }, { a: g.FLOAT, b: g.FLOAT }));
    const { nodes } = graph.functions.get('f')!;
    expect(graph.inputs(nodes.get('op')!)).toEqual([{ arg: 1, output: 0 }]);
    expect(graph.inputs(nodes.get('s')!)).toEqual([
      { arg: 0, output: 0 },
      { node: nodes.get('op'), output: 1 },
      { node: nodes.get('s0'), output: 3 },
    ]);
    expect(graph.results('f')).toEqual([{ node: nodes.get('s'), output: 1 }]);
    expect(g.names(graph.callers('two'))).toEqual(['f/op']);
  });
});

describe('resourceOrigins', () => {
  const origins = (graph: ModelGraph, scope: string, name: string, input = 0) =>
    g.names(graph.resourceOrigins(graph.find(name, scope)!, input));
  const READ = g.fn('f', [g.read('r', 'a')], { out: 'r:value:0' });

  it('finds each caller’s variable, through what hands it on', async () => {
    const graph = await g.decode(
      [
        ...['v', 'w', 'u'].map((name) => g.variable(name)),
        g.identity('h', 'w', '', {}, g.RESOURCE),
        { name: 'many', op: 'IdentityN', input: ['v', 'u'] },
        g.call('p', 'f', ['v']),
        g.call('q', 'outer', ['h']),
        g.read('m', 'many:1'),
      ],
      READ,
      g.fn('outer', [g.call('inner', 'f', ['a'])], { out: 'inner:output:0' }),
    );
    expect(origins(graph, 'f', 'r')).toEqual(['v', 'w']);
    expect(origins(graph, 'outer', 'inner')).toEqual(['w']);
    expect(origins(graph, '', 'm')).toEqual(['u']);
  });

  it('counts past a condition', async () => {
    const graph = await g.decode([g.condition('c'), g.variable('v'), g.branch('p', 'f', ['c', 'v'])], READ);
    expect(origins(graph, 'f', 'r')).toEqual(['v']);
  });

  it('goes round loops, and comes to an end', async () => {
    const args = { n: g.FLOAT, a: g.RESOURCE };
    const cond = g.fn('cond', [g.constant('limit')], { out: 'limit:output:0' }, args);
    const rounds = [g.read('r', 'a'), g.call('again', 'rec', ['a'])];
    const body = g.fn('body', rounds, { n: 'r:value:0', a: 'a' }, args, args);
    const rec = g.fn('rec', [g.call('self', 'rec', ['a']), g.read('r', 'a')], { out: 'self:output:0' });
    const graph = await g.decode(
      [
        g.constant('c'),
        g.variable('v'),
        g.loop('w', 'cond', 'body', ['c', 'v'], [g.FLOAT, g.RESOURCE]),
        g.read('after', 'w:1'),
      ],
      cond,
      body,
      rec,
    );
    expect(origins(graph, 'body', 'r')).toEqual(['v']);
    expect(origins(graph, 'rec', 'r')).toEqual(['v']);
    expect(origins(graph, '', 'after')).toEqual(['v']);
    // What the function returns is itself, for ever.
    const self = await g.decode([g.call('p', 'rec', ['c']), g.constant('c'), g.read('x', 'p')], rec);
    expect(origins(self, '', 'x')).toEqual([]);
  });

  it('comes out of a function that makes the resource', async () => {
    const make = g.fn('make', [g.variable('v')], { out: 'v:resource:0' }, {}, { out: g.RESOURCE });
    const graph = await g.decode([g.call('p', 'make', [], '', g.RESOURCE), g.read('r', 'p')], make);
    expect(origins(graph, '', 'r')).toEqual(['make/v']);
  });

  it('gives a data set’s function what stands behind its elements', async () => {
    const attr = {
      f: { value: { case: 'func', value: { name: 'f' } } },
      Targuments: g.types(g.RESOURCE),
    } as const;
    const f = g.fn('f', [g.read('r', 'a')], { out: 'r:value:0' }, { element: g.FLOAT, a: g.RESOURCE });
    const graph = await g.decode(
      [
        g.variable('v'),
        g.constant('c'),
        { name: 'd', op: 'ParallelMapDatasetV2', input: ['c', 'v', 'c'], attr },
        g.read('odd', 'd'),
      ],
      f,
    );
    expect(origins(graph, 'f', 'r')).toEqual(['v']);
    expect(origins(graph, '', 'odd')).toEqual(['d']);
  });

  it('follows a chain of any length', async () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => g.identity(`n${i}`, i === 0 ? 'v' : `n${i - 1}`));
    const graph = await g.decode([g.variable('v'), ...chain, g.read('r', 'n19999')]);
    expect(origins(graph, '', 'r')).toEqual(['v']);
  });
});
