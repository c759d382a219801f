import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ConfigProtoJson, SavedModel } from '../../lib/index.js';
import { failure } from '../helpers/failure.js';
import { casesByTags, fixtureJson } from '../helpers/fixtures.js';
import { expectTensor, fromJson } from '../helpers/json-tensor.js';
import { fixture } from '../saved-model/models.js';

const FOLDER = new URL('../fixtures/', import.meta.url);
/** No SavedModel lies beside its expectations; see basic-pitch.test.ts. */
const ELSEWHERE = ['basic-pitch'];

const names = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !ELSEWHERE.includes(entry.name))
  .map((entry) => entry.name)
  .filter((name) => casesByTags(name).size > 0);

describe.each(names)('the fixture %s', (name) => {
  const { config } = fixtureJson<{ config?: ConfigProtoJson }>(name);
  for (const [tags, cases] of casesByTags(name)) {
    it(`gives what Python's TensorFlow gives, tags ${tags}`, async () => {
      await using model = await SavedModel.load(fixture(name), { tags: tags.split(','), config });
      for (const [i, { signature, inputs, outputs, error }] of cases.entries()) {
        const what = `${name}, case ${i} (${signature})`;
        const feeds = Object.fromEntries(Object.entries(inputs).map(([key, json]) => [key, fromJson(json)]));
        const run = model.run(feeds, { signature });
        if (error) {
          const { code, op } = await failure(run);
          expect({ code, op: op?.split('/').at(-1) }, what).toEqual(error);
          continue;
        }
        const given = await run;
        expect(Object.keys(given).sort(), what).toEqual(Object.keys(outputs!).sort());
        for (const [key, json] of Object.entries(outputs!))
          expectTensor(given[key]!, json, `${what}, ${key}`);
      }
    });
  }
});

it('finds a case of failing ops, of halves and of bytes among the fixtures', () => {
  const text = names.map((name) => JSON.stringify(fixtureJson(name))).join();
  for (const word of ['"error"', '"bits"', '"base64"', '"NaN"', '"tags"']) expect(text).toContain(word);
});
