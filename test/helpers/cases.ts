/** A fixture's cases, run one after the other as they are meant to be. */
import { expect } from 'vitest';
import type { ModelRunOptions, SavedModel } from '../../lib/index.js';
import { failure } from './failure.js';
import type { Case } from './fixtures.js';
import { expectTensor, fromJson } from './json-tensor.js';

/** Each gives what Python's TensorFlow gives: values, or a failure. */
export async function expectCases(
  model: SavedModel,
  cases: readonly Case[],
  name: string,
  options: ModelRunOptions = {},
): Promise<void> {
  for (const [i, { signature, inputs, outputs, error }] of cases.entries()) {
    const what = `${name}, case ${i} (${signature})`;
    const feeds = Object.fromEntries(Object.entries(inputs).map(([key, json]) => [key, fromJson(json)]));
    const run = model.run(feeds, { ...options, signature });
    if (error) {
      const { code, op } = await failure(run);
      expect({ code, op: op?.split('/').at(-1) }, what).toEqual(error);
      continue;
    }
    const given = await run;
    expect(Object.keys(given).sort(), what).toEqual(Object.keys(outputs!).sort());
    for (const [key, json] of Object.entries(outputs!)) expectTensor(given[key]!, json, `${what}, ${key}`);
  }
}
