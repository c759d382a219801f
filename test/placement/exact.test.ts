import { describe, expect, it } from 'vitest';
import type { ExactCheck } from '../../lib/placement/exact.js';
import { failure } from '../helpers/failure.js';
import { turnsDuring } from '../helpers/turns.js';
import { reader } from './exact-cases.js';
import { asking, CPUS, check, device, faults } from './exact-check.js';
import * as g from './graphs.js';

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
      const { turns, message } = await turnsDuring(check(graph, options));
      expect(turns).toBeGreaterThan(20);
      if (!('kernels' in options)) expect(message).toBe('');
      else expect(message).toMatch(/ and \d+ more: asked onto .* kernel/);
    }
  });

  it('twenty faults are listed, and the rest is counted', async () => {
    const graph = await g.decode(Array.from({ length: 25 }, (_, i) => g.constant(`c${i}`, `/GPU:${i}`)));
    const lines = await faults(graph);
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('- and 5 more');
  });
});
