import { describe, expect, it } from 'vitest';
import type { PlacementReport } from '../../lib/index.js';
import type { TensorJson } from '../../lib/tensor-json.js';
import { opLibraries } from '../helpers/op-libraries.js';
import { fixture } from '../saved-model/models.js';
import { command, commandJson, expectFailure, hasLibrary, temporaryFile } from './command.js';

const MODEL = fixture('wordpiece');
const INPUT = ['--input', 'text=["hello world"]'];

describe.skipIf(!(await hasLibrary()))('--op-library', () => {
  it('lets run run a model with ops from elsewhere', async (context) => {
    const { wordpiece, rouge } = await opLibraries(context);
    const args = ['run', MODEL, '--op-library', rouge, '--op-library', wordpiece, ...INPUT];
    const { outputs } = await commandJson<{ outputs: Record<string, TensorJson> }>(args);
    expect(outputs.tokens).toEqual({ dtype: 'string', shape: [1, 2], data: ['hello', 'world'] });
    expect(outputs.ids).toEqual({ dtype: 'int64', shape: [1, 2], data: [1, 2] });
  });

  it('goes with the opLibraries of --options', async (context) => {
    const { wordpiece, rouge } = await opLibraries(context);
    const options = await temporaryFile('options.json', JSON.stringify({ opLibraries: [wordpiece] }));
    const args = ['run', MODEL, '--options', options, '--op-library', rouge, ...INPUT];
    expect((await command(args)).stdout).toMatch(/tokens +string +\[1, 2\]/);
  });

  it('lets place report where they ran', async (context) => {
    const { wordpiece } = await opLibraries(context);
    const args = ['place', MODEL, '--op-library', wordpiece, '--device', '/CPU:0', ...INPUT];
    const { ops } = await commandJson<PlacementReport>(args);
    const op = ops.find(({ type }) => type === 'WordpieceTokenizeWithOffsets');
    expect(op).toMatchObject({ requested: '/CPU:0', reason: 'as requested' });
  });

  it('is what the error of a model without it names', async () => {
    for (const name of ['run', 'place']) {
      const ended = await command([name, MODEL, ...INPUT]);
      expectFailure(ended, 1, /tensorflow-text brings it.*--op-library …\/_wordpiece_tokenizer\.so/);
    }
  });

  it('must be an op library', async () => {
    expectFailure(
      await command(['run', MODEL, '--op-library', 'nowhere.so']),
      1,
      /The op library nowhere\.so does not exist/,
    );
    const options = await temporaryFile('options.json', JSON.stringify({ opLibraries: 'x.so' }));
    expectFailure(await command(['run', MODEL, '--options', options]), 2, /opLibraries must be an array/);
    expectFailure(await command(['show', MODEL, '--op-library', 'x.so']), 2, /unknown option/);
  });

  it('is not needed to show a model', async () => {
    const { stdout } = await command(['show', MODEL]);
    expect(stdout).toMatch(/WordpieceTokenizeWithOffsets/);
  });
});
