import { beforeAll, describe, expect, it } from 'vitest';
import { tensorflow } from '../../lib/index.js';
import { registeredKernels } from '../../lib/placed-graph.js';
import { deviceMatches } from '../../lib/placement/device.js';
import { kernelLookup } from '../../lib/placement/kernels.js';
import { failure } from '../helpers/failure.js';
import { actual, at } from './actual.js';
import { CASES } from './exact-cases.js';
import { check } from './exact-check.js';
import { FLOW_CASES, type FlowCase } from './flow-cases.js';
import { chanceCases } from './flow-chance.js';
import * as g from './graphs.js';

/** Graphs made by chance. */
const COUNT = 80;

describe('what exact says of a graph is what TensorFlow does with it', () => {
  beforeAll(async () => {
    await tensorflow.open({});
  });

  /** The ops that TensorFlow moves, or undefined where it runs nothing; and how exact is asked. */
  async function tried({ nodes, functions = [], feeds = {}, fetch }: Omit<FlowCase, 'title' | 'moves'>) {
    const graph = await g.decode(nodes, ...functions);
    const ran = await actual(g.graphBytes(nodes, ...functions), fetch, feeds);
    const asked = graph.nodes.filter(
      ({ saved, name }) => saved !== '' && (ran === undefined || at(ran, name) !== undefined),
    );
    const moved =
      ran && asked.filter(({ saved, name }) => !deviceMatches(saved, at(ran, name)!)).map(({ name }) => name);
    return { asked, ran, moved, verify: () => check(graph, { kernels: kernelLookup(registeredKernels) }) };
  }

  const cases: FlowCase[] = [...CASES, ...FLOW_CASES];

  it.each(cases)('$title', async ({ moves, ...graph }) => {
    const { asked, ran, moved, verify } = await tried(graph);
    if (ran !== undefined) expect(asked.length).toBeGreaterThan(0);
    expect({ moved: moved?.length !== 0, ran }).toMatchObject({ moved: moves });
    if (!moves) return verify();
    const { message } = await failure(verify);
    for (const name of moved ?? []) expect(message).toContain(name);
  });

  it('control flow in any order, asked anywhere', async () => {
    const count = { held: 0, refused: 0, inVain: 0 };
    for (const graph of chanceCases(COUNT)) {
      const { moved, verify } = await tried(graph);
      const message = await verify().then(
        () => '',
        (error: Error) => error.message,
      );
      const told = `${message}\n${JSON.stringify(graph.nodes.map(({ name, device, input }) => [name, device, input]))}`;
      if (message === '') expect(moved, told).toEqual([]);
      for (const name of moved ?? []) {
        expect(message, told).toMatch(new RegExp(`^- (.*, )?${name}( \\(in f\\))?(,.*)?: asked onto`, 'm'));
      }
      if (message === '') count.held++;
      else if (moved?.length === 0) count.inVain++;
      else count.refused++;
    }
    expect(count.held).toBeGreaterThan(COUNT / 4);
    expect(count.refused).toBeGreaterThan(COUNT / 4);
    // Where only TensorFlow's own order decides.
    expect(count.inVain).toBeLessThan(COUNT / 20);
  });
});
