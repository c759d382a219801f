import { describe, expect, it } from 'vitest';
import { colocationGroups, nodesToUntie, tornGroups, type Wishes } from '../../lib/placement/colocation.js';
import type { ModelGraph } from '../../lib/placement/model-graph.js';
import { asking, CPUS, check, device, faults } from './exact-check.js';
import * as g from './graphs.js';

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
