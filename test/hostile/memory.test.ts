/** What would end the process, or tell a wrong value, if the addon trusted what it is given. */

import { constants } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { SavedModel, Tensor } from '../../lib/index.js';
import { addon } from '../../lib/runtime/addon.js';
import { failure } from '../helpers/failure.js';
import { fixture } from '../saved-model/models.js';

/** A property of the object that closes the model when it is read. */
function trap(target: object, key: PropertyKey, model: SavedModel, value: unknown): void {
  Object.defineProperty(target, key, {
    get() {
      void model.close();
      return value;
    },
  });
}

describe('a getter that closes the model', () => {
  it.each(['run', 'runSync'] as const)('among the strings of %s', async (method) => {
    const model = await SavedModel.load(fixture('strings'));
    const text = Tensor.from(['a', 'b']);
    trap(text.data, 0, model, 'a');
    const options = { signature: 'upper' };
    const run = async () =>
      method === 'run' ? model.run({ text }, options) : model.runSync({ text }, options);
    const error = await failure(run());
    expect(error.code).toBe('FAILED_PRECONDITION');
    await model.close();
  });

  it('as the shape of an input', async () => {
    const model = await SavedModel.load(fixture('tf2-functions'));
    const x = Tensor.from(new Float32Array(8), [1, 8]);
    trap(x, 'shape', model, [1, 8]);
    expect((await failure(model.run({ x }))).code).toBe('FAILED_PRECONDITION');
    await model.close();
  });

  it('among the targets', async () => {
    const model = await SavedModel.load(fixture('tf1-variables'));
    const targets: string[] = ['x'];
    trap(targets, 0, model, 'init');
    const error = await failure(model.session.run([], {}, { targets }));
    expect(['FAILED_PRECONDITION', 'INVALID_ARGUMENT']).toContain(error.code);
    await model.close();
  });
});

describe('a getter that runs the model', () => {
  it.each(['strings', 'shape'] as const)(
    'among the %s leaves the inputs around it as they are',
    async (where) => {
      await using model = await SavedModel.load(fixture('strings'));
      const join = (first: Tensor, second: Tensor) =>
        model.runSync({ first, second }, { signature: 'join' }).text!.data;
      const texts = (...data: string[]) => Tensor.from(data);
      let nested: unknown;
      const [first, second] = [texts('a', 'b', 'c'), texts('d', 'e', 'f')];
      const [target, key, value] =
        where === 'strings' ? ([first.data, 0, 'a'] as const) : ([second, 'shape', [3]] as const);
      Object.defineProperty(target, key, {
        get() {
          nested = join(texts('x'), texts('y'));
          return value;
        },
      });
      const texted = join(first, second);
      expect(nested).toEqual(join(texts('x'), texts('y')));
      expect(texted).toEqual(join(texts('a', 'b', 'c'), texts('d', 'e', 'f')));
    },
  );
});

describe('memory', () => {
  it('of more than Node takes into a buffer is refused', () => {
    const most = constants.MAX_LENGTH; // from Node 22 on it is as long as a number is exact
    if (most < Number.MAX_SAFE_INTEGER) {
      expect(() => Tensor.allocate('uint8', [most + 1])).toThrow(/no more than/);
    }
    expect(() => Tensor.allocate('uint8', [2 ** 50])).toThrow(/no more than|no memory/);
    // The addon knows for itself.
    expect(() => addon().allocate(2 ** 47)).toThrow(/no memory/);
    expect(() => addon().allocate(-1)).toThrow(/no memory/);
  });

  it('of a loop of runSync is freed on the way', async () => {
    const model = await SavedModel.load(fixture('copies'));
    const x = Tensor.from(new Float32Array(4 << 20));
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 100; i++) model.runSync({ x }, { signature: 'plus_one' });
    // 1.6 GB went through.
    expect(process.memoryUsage.rss() - before).toBeLessThan(800e6);
    await model.close();
  });
});

describe('the value of a reference variable', () => {
  it.each([undefined, 'copy'] as const)(
    'is what it was when it was fetched (outputs: %s)',
    async (outputs) => {
      const model = await SavedModel.load(fixture('tf1-variables'));
      const { session } = model;
      const [before] = await session.run(['scale']);
      const fetched = session.run(['scale'], {}, { outputs });
      // The run ends on its thread while this one is held; then another one writes to the variable.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      session.runSync([], {}, { targets: ['scale/Assign'] });
      expect(session.runSync(['scale'])[0]!.toNumbers()).not.toEqual(before!.toNumbers());
      expect((await fetched)[0]!.toNumbers()).toEqual(before!.toNumbers());
      await model.close();
    },
  );
});
