/** Graphs with TensorFlow 1's control flow, made by chance, but the same ones each time. */
import { callOn, choice, choiceInBody, type FlowCase, LIMIT, loop, put } from './flow-cases.js';
import * as g from './graphs.js';

/** Numbers below `end`, a linear congruential generator's. */
class Chance {
  #state = 12345;

  below(end: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * end);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list];
    return list.map(() => rest.splice(this.below(rest.length), 1)[0]!);
  }
}

const HEAD = [g.constant('c'), { ...g.constant('c'), name: 'init' }, g.identity('x', 'c')];
const FED = g.placeholder('f');

export function* chanceCases(count: number): Generator<Omit<FlowCase, 'title' | 'moves'>> {
  const chance = new Chance();
  for (let i = 0; i < count; i++) {
    const make = chance.of([oneChoice, switches, oneLoop, inBody]);
    const nodes = [...HEAD, ...make(chance)];
    // Few devices, so that neighbours agree often enough.
    const devices = chance.of([
      ['', '/CPU:1'],
      ['/CPU:1', '/CPU:1', '/CPU:2'],
      ['', '/CPU:0', '/CPU:1', '/CPU:2'],
      ['', '', '', '', '', '/CPU:1'],
      ['/CPU:1', '/CPU:1', '/CPU:1', '/CPU:1', ''],
    ]);
    const ask = (names: (string | undefined)[]) =>
      Object.fromEntries(names.map((name) => [name!, chance.of(devices)]));
    const body = ask(['d', 'q', 's', 'no', 'yes', 'm']);
    const functions = make === inBody ? [choiceInBody(chance.of(['a', 'd:output:0']), body)] : [];
    const feeds: Record<string, number> = nodes.includes(FED) ? { f: 1 } : {};
    const asked = ask(nodes.map(({ name }) => name));
    yield { nodes: chance.shuffled(put(nodes, asked)), functions, feeds, fetch: 'y' };
  }
}

function oneChoice(chance: Chance): g.Node[] {
  const data = chance.of(['x', 'c', 'f']);
  return [g.condition('p'), ...(data === 'f' ? [FED] : []), ...choice(data)];
}

/** Each in the branch of the one before. */
function switches(chance: Chance): g.Node[] {
  const nodes = [g.condition('p'), g.condition('q')];
  let data = 'x';
  for (let i = 0; i < 1 + chance.below(3); i++) {
    nodes.push(g.flow('Switch', `s${i}`, [data, chance.of(['p', 'q'])]));
    data = `s${i}:1`;
  }
  return [...nodes, g.identity('y', data)];
}

function oneLoop(chance: Chance): g.Node[] {
  const users = ['k1', 'k2', 'k3'].slice(0, 1 + chance.below(3));
  return [g.binary('Mul', 'x10', 'x', 'x'), LIMIT, ...loop(users)];
}

/** A call, or a condition that is taken apart. */
function inBody(chance: Chance): g.Node[] {
  const x = g.identity('x0', 'c');
  if (chance.below(2) === 0) return [x, callOn()];
  const branch = g.branch('y', 'f', ['p', 'x0'], '', true);
  return [x, g.condition('p'), { ...branch, attr: { ...branch.attr!, Tin: g.types(g.FLOAT) } } as g.Node];
}
