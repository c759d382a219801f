import { describe, expect, it } from 'vitest';
import { SavedModel } from '../../lib/index.js';
import { casesByTags, openFixture } from '../helpers/fixtures.js';
import { expectTensor, fromJson } from '../helpers/json-tensor.js';
import { fixture } from '../saved-model/models.js';

describe('runs at once', () => {
  it('of a model with state lose nothing', async () => {
    const counter = await openFixture('counter');
    const runs = Array.from({ length: 50 }, () => counter.run({ by: 1 }));
    const counts = (await Promise.all(runs)).map(({ count }) => Number(count!.data[0]));
    // TensorFlow adds in one op and reads in another: two runs at once may both read the sum of both.
    for (const [i, count] of counts.sort((a, b) => a - b).entries())
      expect(count).toBeGreaterThanOrEqual(i + 1);
    expect(counts.at(-1)).toBe(50);
    expect((await counter.run({}, { signature: 'read' })).count!.data[0]).toBe(50n);
  });

  it('give each the outputs of its own inputs', async () => {
    const copies = await openFixture('copies');
    const runs = Array.from({ length: 200 }, async (_, i) => {
      const size = i % 3 === 0 ? 20_000 : 1 + (i % 5);
      const { y } = await copies.run({ x: new Float32Array(size).fill(i) }, { signature: 'plus_one' });
      return y!.shape[0] === size && (y!.data as Float32Array).every((value) => value === i + 1);
    });
    expect(await Promise.all(runs)).toEqual(Array(200).fill(true));
  });

  it('that fail disturb no others', async () => {
    const model = await openFixture('errors-at-run');
    const runs = Array.from({ length: 40 }, (_, i) =>
      model.run({ indices: [i % 2 === 0 ? 3 : 4] }, { signature: 'gather' }).then(
        ({ y }) => y!.data[0],
        (error) => error.code,
      ),
    );
    expect(await Promise.all(runs)).toEqual(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 40 : 'INVALID_ARGUMENT')),
    );
  });

  it('of runs that stand still and others go together', async () => {
    const counter = await openFixture('counter');
    const runs = Array.from({ length: 20 }, () => counter.run({ by: 1 }));
    for (let i = 0; i < 20; i++) counter.runSync({ by: 1 });
    await Promise.all(runs);
    expect(counter.runSync({}, { signature: 'read' }).count!.data[0]).toBe(40n);
  });
});

describe('models at once', () => {
  it('of one folder have a state each', async () => {
    const models = await Promise.all(Array.from({ length: 5 }, () => openFixture('counter')));
    const counts = await Promise.all(models.map((model, i) => model.run({ by: i + 1 })));
    expect(counts.map(({ count }) => count!.data[0])).toEqual([1n, 2n, 3n, 4n, 5n]);
  });

  it('of several kinds load and run side by side', async () => {
    const names = [
      'tf2-functions',
      'tf1-variables',
      'assets-tables',
      'tf1-legacy-init',
      'one-signature-other-name',
    ];
    await Promise.all(
      names.map(async (name) => {
        await using model = await SavedModel.load(fixture(name));
        const { signature, inputs, outputs } = casesByTags(name).get('serve')![0]!;
        const feeds = Object.fromEntries(Object.entries(inputs).map(([key, json]) => [key, fromJson(json)]));
        const given = await Promise.all(Array.from({ length: 5 }, () => model.run(feeds, { signature })));
        for (const output of given) {
          for (const [key, json] of Object.entries(outputs!))
            expectTensor(output[key]!, json, `${name}, ${key}`);
        }
      }),
    );
  });
});

describe('runSync', () => {
  it.each(['tf2-functions', 'dims', 'strings', 'copies-functions', 'assets-tables', 'tf1-variables'])(
    'gives for %s what run gives',
    async (name) => {
      const [one, other] = [await openFixture(name), await openFixture(name)];
      for (const { signature, inputs } of casesByTags(name).get('serve')!) {
        const feeds = Object.fromEntries(Object.entries(inputs).map(([key, json]) => [key, fromJson(json)]));
        const wanted = await one.run(feeds, { signature });
        const given = other.runSync(feeds, { signature });
        expect(Object.keys(given)).toEqual(Object.keys(wanted));
        for (const key of Object.keys(wanted)) {
          const { dtype, shape, data } = wanted[key]!;
          expect(given[key]).toMatchObject({ dtype, shape });
          expect(given[key]!.data).toEqual(data);
        }
      }
    },
  );
});
