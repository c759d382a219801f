/** Damaged files through all of a load and a run: a few by chance, and those that once ended the process. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SavedModel, Tensor } from '../../lib/index.js';
import { Child, campaign } from '../../scripts/fuzz/campaign.mjs';
import { CASES } from '../../scripts/fuzz/cases.mjs';
import { isFault } from '../../scripts/fuzz/summary.mjs';
import { failure } from '../helpers/failure.js';
import { fixture, fixtureCopy, temporaryDirectory } from '../saved-model/models.js';

const COUNT = 200;

it.each(['saved_model', 'checkpoint', 'npy'])(
  `${COUNT} inputs of the kind %s end in a result or in a TensorFlowError`,
  { timeout: 300_000 },
  async (kind) => {
    const { inputs, ends, found } = await campaign({ kind, seed: 20, count: COUNT });
    expect(inputs).toBe(COUNT);
    expect(found.filter(isFault)).toEqual([]);
    // Else the damage was too mild or too rough to say anything.
    const [{ result = 0, ...errors }] = Object.values(ends) as [Record<string, number>];
    expect(result).toBeGreaterThan(COUNT / 20);
    expect(Object.keys(errors).length).toBeGreaterThan(1);
  },
);

/** The fixture of a case, damaged. */
async function damaged({ fixture: name, file, change }: (typeof CASES)[number]): Promise<string> {
  const directory = await fixtureCopy(name);
  const path = join(directory, file);
  await writeFile(path, await change(await readFile(path), join(fixture(name), 'variables/variables')));
  return directory;
}

describe.each(CASES)('$name', (one) => {
  it.each([{}, { placement: [{ op: '**', device: '/CPU:0' }] }])(
    'is refused, loaded with %j',
    async (options) => {
      const error = await failure(SavedModel.load(await damaged(one), options));
      // What TensorFlow throws on its own loader's way, an import finds in order.
      if (one.code === 'INTERNAL' && options.placement !== undefined)
        expect(error.code).toBe('INVALID_ARGUMENT');
      else expect(error).toMatchObject({ code: one.code, message: expect.stringMatching(one.message) });
    },
  );

  it.runIf(one.atTensorFlow !== undefined)('would be no error of TensorFlow alone', async () => {
    const child = new Child(await temporaryDirectory());
    try {
      const { ends, death } = await child.give({
        path: await damaged(one),
        kind: 'saved_model',
        ways: ['unguarded'],
      });
      if (death === undefined) expect(ends).toEqual({ unguarded: one.atTensorFlow });
      else {
        expect(death.at).toContain(one.atTensorFlow);
        expect(death.isOurs).toBe(false);
      }
    } finally {
      await child.end();
    }
  });
});

it('a tensor of a rank that the graph does not take is refused, also by its name', async () => {
  await using model = await SavedModel.load(fixture('keras-nested'));
  const [signature] = Object.values(model.signatures);
  const [input] = Object.values(signature!.inputs);
  const [output] = Object.values(signature!.outputs);
  const error = await failure(model.session.run([output!.name], { [input!.name]: Tensor.from([1, 2]) }));
  expect(error).toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('takes float32 [-1, 8, 8, 3]. It was given float32 [2]'),
  });
});
