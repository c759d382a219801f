import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, fixtureJson } from '../helpers/fixtures.js';
import { Consumer, MODEL, output } from './consumer.js';

const [{ inputs, outputs }] = fixtureJson<{ cases: [Case] }>('tf2-functions').cases;
const INPUT = JSON.stringify(inputs.x!.data);
const [FIRST] = outputs!.y!.data as [number];

/** Runs the model and puts the first of its values into `first`. */
const RUN = `const model = await SavedModel.load(${JSON.stringify(`${MODEL}/saved_model`)});
  const { y } = await model.run({ x: Float32Array.from(${INPUT}) });
  const first = y.data[0];
  await model.close();`;

/** Prints that value, or the error's code and message as JSON. */
const PRINT = `async function main() {
  ${RUN}
  console.log(JSON.stringify({ first }));
}
main().catch(({ code, message }) => console.log(JSON.stringify({ code, message })));
`;

const VITEST = `import { SavedModel } from 'tf-session';
import { expect, it } from 'vitest';

it('runs a model', async () => {
  ${RUN}
  expect(first).toBeCloseTo(${FIRST}, 5);
});
`;

let consumer: Consumer;
beforeAll(async () => {
  consumer = await Consumer.make(['vitest', 'rolldown']);
  await consumer.write({
    'src/main.mjs': `import { SavedModel } from 'tf-session';\n${PRINT}`,
    'src/main.cjs': `const { SavedModel } = require('tf-session');\n${PRINT}`,
    'test/one.test.mjs': VITEST,
    'test/two.test.mjs': VITEST,
  });
});
afterAll(() => consumer.remove());

async function printed(...args: string[]): Promise<{ first?: number; code?: string; message?: string }> {
  return JSON.parse(output(await consumer.node(...args)));
}

async function bundle(source: string, into: string, ...options: string[]): Promise<string> {
  const rolldown = 'node_modules/rolldown/bin/cli.mjs';
  output(await consumer.node(rolldown, source, '--platform', 'node', '--file', into, ...options));
  return into;
}

describe('the package is used', () => {
  it('by import', async () => {
    expect((await printed('src/main.mjs')).first).toBeCloseTo(FIRST, 5);
  });

  it('by require(), though it is ECMAScript modules alone', async () => {
    expect((await printed('src/main.cjs')).first).toBeCloseTo(FIRST, 5);
  });

  it.each(['forks', 'threads'])('in a project that is tested by vitest, pool %s', async (pool) => {
    const vitest = 'node_modules/vitest/vitest.mjs';
    const ended = await consumer.node(
      vitest,
      'run',
      '--pool',
      pool,
      '--reporter',
      'json',
      '--maxWorkers',
      '2',
    );
    expect(JSON.parse(output(ended))).toMatchObject({ numPassedTests: 2, numTotalTests: 2 });
  });

  it.each(['esm', 'cjs'])('by a bundle (%s) that leaves it external', async (format) => {
    const file = await bundle(
      'src/main.mjs',
      `dist/external.${format === 'esm' ? 'mjs' : 'cjs'}`,
      '--format',
      format,
      '--external',
      'tf-session',
    );
    expect((await printed(file)).first).toBeCloseTo(FIRST, 5);
  });
});

describe('bundled in, away from its addon,', () => {
  it.each([
    ['esm', 'in.mjs', ['--format', 'esm']],
    ['cjs', 'in.cjs', ['--format', 'cjs']],
    // As esbuild writes it.
    [
      'cjs without import.meta.url',
      'bare.cjs',
      ['--format', 'cjs', '--transform.define', 'import.meta.url:undefined'],
    ],
  ])('it says how to leave it external (%s)', async (_, name, options) => {
    const { code, message } = await printed(await bundle('src/main.mjs', `dist/${name}`, ...options));
    expect(code).toBe('ADDON_NOT_FOUND');
    expect(message).toMatch(/runs from .*, outside of its package/);
    expect(message).toContain('--external:tf-session');
  });
});
