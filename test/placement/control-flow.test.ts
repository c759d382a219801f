/** Ops of TensorFlow 1's control flow, which go along with a neighbour: what exact and the report say of them. */

import { describe, expect, it } from 'vitest';
import type { LoadOptions, PlacementRule } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { type Case, fixtureJson, openFixture } from '../helpers/fixtures.js';
import { fromJson } from '../helpers/json-tensor.js';
import { turnsDuring } from '../helpers/turns.js';
import { asking, CPUS, check, device, faults } from './exact-check.js';
import { callOn, choice, choiceInBody, LIMIT, loop } from './flow-cases.js';
import * as g from './graphs.js';

const config = { deviceCount: { CPU: 4 } };
const CPU = (i: number) => `/job:localhost/replica:0/task:0/device:CPU:${i}`;
const HEAD = [g.constant('c'), g.condition('p'), g.identity('x', 'c')];
const LOOP = [...HEAD, g.binary('Mul', 'x10', 'x', 'x'), LIMIT, ...loop(['k1', 'k2', 'k3'])];

describe('exact', () => {
  it('names a Switch, the data that it goes along with, and a rule that mends it', async () => {
    const graph = await g.decode([...HEAD, ...choice()]);
    expect(await faults(graph, { requested: asking(graph, { s: '/CPU:1' }) })).toEqual([
      '- s: asked onto /CPU:1, but goes along with x, which is on /CPU:0, as every Switch does. Put both on one device, as by a first rule { op: "x", device: "/CPU:1" }, or leave it out of the rule.',
    ]);
    await check(graph, { requested: asking(graph, { s: '/CPU:1', x: '/CPU:1' }) });
    await check(graph, { requested: asking(graph, { s: '/CPU:*' }) });
    const devices = [...CPUS, device('GPU', 0)];
    await check(graph, { devices, requested: asking(graph, { s: '/GPU:0' }) });
    expect(await faults(graph, { devices, requested: asking(graph, { s: '/CPU:0' }) })).toHaveLength(1);
  });

  it('names each user of an Enter that is elsewhere: which is the first, TensorFlow decides', async () => {
    const graph = await g.decode(LOOP);
    const asked = { k: '/CPU:1', k1: '/CPU:1', k2: '/CPU:2' };
    expect(await faults(graph, { requested: asking(graph, asked) })).toEqual([
      '- k: asked onto /CPU:1, but goes along with k2, which is on /CPU:2, or k3, which is on /CPU:0, as every Enter does. Put all on one device, as by first rules { op: "k2", device: "/CPU:1" }, { op: "k3", device: "/CPU:1" }, or leave it out of the rule.',
    ]);
    await check(graph, { requested: asking(graph, { ...asked, k2: '/CPU:1', k3: '/CPU:1' }) });
  });

  it('an Exit goes where its Switch goes, which is with the Merge', async () => {
    const graph = await g.decode(LOOP);
    const asked = { z: '/CPU:1', s: '/CPU:1', n: '/CPU:1', e: '/CPU:1' };
    expect(await faults(graph, { requested: asking(graph, asked) })).toEqual([
      expect.stringMatching(/^- e: .* goes along with m, .* every Enter /),
      expect.stringMatching(/^- s: .* goes along with m, .* every Switch /),
      expect.stringMatching(/^- n: .* goes along with m, .* every NextIteration /),
      expect.stringMatching(/^- z: .* goes along with m, .* every Exit /),
    ]);
    await check(graph, { requested: asking(graph, { ...asked, m: '/CPU:1' }) });
  });

  it('what is fed comes onto the first CPU, whatever is asked for it', async () => {
    const optional: g.Node = { ...g.placeholder('d'), op: 'PlaceholderWithDefault', input: ['c'] };
    const of = (data: string) => g.decode([...HEAD, g.placeholder('f'), optional, ...choice(data)]);
    const fed = await of('f');
    const onOne = { s: '/CPU:1', f: '/CPU:1', d: '/CPU:1', x: '/CPU:1' };
    expect(await faults(fed, { requested: asking(fed, onOne) })).toEqual([
      '- s: asked onto /CPU:1, but goes along with f, which is fed and so on /CPU:0, as every Switch does. Leave it out of the rule.',
    ]);
    await check(fed, { requested: asking(fed, { ...onOne, s: '/CPU:0' }) });
    const byDefault = await of('d');
    const requested = asking(byDefault, onOne);
    expect(await faults(byDefault, { requested })).toEqual([expect.stringMatching(/d, which is fed/)]);
    expect(await faults(byDefault, { requested, fed: new Set(['d']) })).toHaveLength(1);
    await check(byDefault, { requested, fed: new Set(['f']) });
    const given = await of('x');
    await check(given, { requested: asking(given, onOne), fed: new Set(['f']) });
    expect(await faults(given, { requested: asking(given, onOne), fed: new Set(['x']) })).toHaveLength(1);
  });

  it('what a function is given is where its call is', async () => {
    const graph = await g.decode([...HEAD, callOn()], choiceInBody('a', {}));
    expect(await faults(graph, { requested: asking(graph, { s: '/CPU:1' }) })).toEqual([
      expect.stringMatching(
        /^- s \(in f\): .* goes along with y, which is on \/CPU:0, .* \{ op: "y", device/,
      ),
    ]);
    await check(graph, { requested: asking(graph, { s: '/CPU:1', y: '/CPU:1' }) });
    const inner = await g.decode([...HEAD, callOn()], choiceInBody('d:output:0', {}));
    expect(await faults(inner, { requested: asking(inner, { s: '/CPU:1' }) })).toEqual([
      expect.stringMatching(/goes along with d \(in f\), .* \{ function: "f", op: "d", device: "\/CPU:1" \}/),
    ]);
    const twice = await g.decode([...HEAD, callOn(), { ...callOn(), name: 'y2' }], choiceInBody('a', {}));
    const once = asking(twice, { s: '/CPU:1', y: '/CPU:1' });
    expect(await faults(twice, { requested: once })).toEqual([expect.stringMatching(/ with y2, /)]);
  });

  it('is looked for in slices, between which timers get their turns', async () => {
    // One value that stays through the rounds of a loop, with twenty thousand users, as many Switches,
    // and as many again, each in the branch of the one before.
    const nodes = [...HEAD, g.enter('k', 'x', true)];
    for (let i = 0; i < 20_000; i++) {
      nodes.push(g.binary('Add', `u${i}`, 'k', 'k'), g.flow('Switch', `s${i}`, [`u${i}`, 'p']));
      nodes.push(g.flow('Switch', `d${i}`, [i === 0 ? 'x' : `d${i - 1}:1`, 'p']));
    }
    const graph = await g.decode(nodes.map((node) => ({ ...node, device: '/CPU:1' }) as g.Node));
    for (const [on, expected] of [['/CPU:1', ''] as const, ['/CPU:2', /and \d+ more/] as const]) {
      const requested = (i: number) => (graph.nodes[i]!.type === 'Switch' ? on : graph.nodes[i]!.saved);
      const { turns, message } = await turnsDuring(check(graph, { requested }));
      expect(turns).toBeGreaterThan(10);
      expect(message).toMatch(expected);
    }
  });
});

describe('a model', () => {
  const load = (name: string, options: LoadOptions) => openFixture(name, { config, ...options });

  async function report(name: string, options: LoadOptions) {
    const model = await load(name, options);
    const { inputs } = fixtureJson<{ cases: Case[] }>(name).cases[0]!;
    const tensors = Object.fromEntries(Object.entries(inputs).map(([key, json]) => [key, fromJson(json)]));
    const { ops, exact } = await model.explain(tensors);
    const of = (op: string) => {
      const { actual, reason } = ops.find(({ name: each }) => each === op)!;
      return [actual, reason];
    };
    return { of, exact, ops };
  }

  const NORM: PlacementRule[] = [
    { scope: 'norm', device: '/CPU:3' },
    { op: '**/BiasAdd', device: '/CPU:2' },
  ];

  it('of TensorFlow 1.10: a scope with a condition in it', async () => {
    const { message, code, op } = await failure(
      load('made-by-1.10.1-image', { placement: NORM, exact: true }),
    );
    expect([code, op]).toEqual(['INVALID_ARGUMENT', 'norm/cond/x']);
    expect(message.split('\n').slice(1, -1)).toEqual([
      expect.stringMatching(
        /^- norm\/cond\/x: asked onto \/CPU:3, but goes along with conv\/BiasAdd, .* \/CPU:2/,
      ),
      expect.stringMatching(/^- norm\/cond\/switch_on: .* goes along with learning_phase, .* \/CPU:0/),
    ]);
    const moved = await report('made-by-1.10.1-image', { placement: NORM });
    expect(moved.exact).toBe(false);
    expect(moved.of('norm/cond/x')).toEqual([expect.any(String), 'colocated with conv/BiasAdd']);
    expect(moved.of('norm/cond/switch_on')).toEqual([CPU(0), 'colocated with learning_phase']);

    const placement = [{ op: /^(conv\/BiasAdd|learning_phase)$/, device: '/CPU:3' }, ...NORM];
    const held = await report('made-by-1.10.1-image', {
      placement: placement as PlacementRule[],
      exact: true,
    });
    expect(held.exact).toBe(true);
    expect(held.of('norm/cond/x')).toEqual([CPU(3), 'as requested']);
    expect(held.of('norm/cond/switch_on')).toEqual([CPU(3), 'as requested']);
  });

  it.each(['made-by-1.10.1-image', 'control-flow-v1'])('%s as a whole on one device', async (name) => {
    const whole = await report(name, { placement: [{ op: '**', device: '/CPU:1' }], exact: true });
    expect(whole.exact).toBe(true);
    expect(whole.ops.filter(({ actual }) => actual === CPU(1)).length).toBeGreaterThan(10);
  });

  it.each([
    ['Switch', 'up_or_down/Switch', 'is_positive'],
    ['Enter', 'loop/Enter', 'loop/Merge'],
    ['Enter', 'loop/step_matmul/Enter', 'loop/step_matmul'],
    ['NextIteration', 'loop/NextIteration_1', 'loop/Merge_1'],
    ['Exit', 'loop/Exit_1', 'loop/Switch_1'],
  ])('every %s of a model on a device of its own', async (type, op, beside) => {
    const placement = [{ type, device: '/CPU:1' }];
    const { of, exact } = await report('control-flow-v1', { placement });
    expect(exact).toBe(false);
    expect(of(op)).toEqual([CPU(0), `colocated with ${beside}`]);
    const { message } = await failure(load('control-flow-v1', { placement, exact: true }));
    expect(message).toContain(`- ${op}: asked onto /CPU:1, but goes along with `);
  });

  it.each(['Merge', 'LoopCond'])('every %s of a model, which stay where they were asked', async (type) => {
    const { of, exact } = await report('control-flow-v1', {
      placement: [{ type, device: '/CPU:1' }],
      exact: true,
    });
    expect(exact).toBe(true);
    expect(of(`loop/${type}`)).toEqual([CPU(1), 'as requested']);
  });

  it('a loop in a scope of its own', async () => {
    const { exact, ops } = await report('made-by-1.10.1-image', {
      placement: [{ op: 'halve/**', device: '/CPU:1' }],
      exact: true,
    });
    expect(exact).toBe(true);
    expect(ops.filter(({ reason }) => reason === 'as requested').length).toBeGreaterThan(5);
  });
});
