import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ConfigProtoJson, SavedModel } from '../../lib/index.js';
import { expectCases } from '../helpers/cases.js';
import { casesByTags, fixtureJson } from '../helpers/fixtures.js';
import { opLibraries } from '../helpers/op-libraries.js';
import { fixture } from '../saved-model/models.js';

const FOLDER = new URL('../fixtures/', import.meta.url);
/** No SavedModel lies beside its expectations; see basic-pitch.test.ts. */
const ELSEWHERE = ['basic-pitch'];

const names = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !ELSEWHERE.includes(entry.name))
  .map((entry) => entry.name)
  .filter((name) => casesByTags(name).size > 0);

describe.each(names)('the fixture %s', (name) => {
  const { config, opLibraries: needed } = fixtureJson<{
    config?: ConfigProtoJson;
    opLibraries?: string[];
  }>(name);
  for (const [tags, cases] of casesByTags(name)) {
    it(`gives what Python's TensorFlow gives, tags ${tags}`, async (context) => {
      const libraries = needed === undefined ? [] : Object.values(await opLibraries(context));
      const options = { tags: tags.split(','), config, opLibraries: libraries };
      await using model = await SavedModel.load(fixture(name), options);
      await expectCases(model, cases, name);
    });
  }
});

it('finds a case of failing ops, of halves and of bytes among the fixtures', () => {
  const text = names.map((name) => JSON.stringify(fixtureJson(name))).join();
  for (const word of ['"error"', '"bits"', '"base64"', '"NaN"', '"tags"']) expect(text).toContain(word);
});
