import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Consumer, output } from './consumer.js';

/** What a user's program takes from the package. */
const PROGRAM = `import { SavedModel, Session, Tensor, TensorFlowError, tensorflow } from 'tf-session';
import type { ConfigProtoJson, LoadOptions, PlacementRule } from 'tf-session';

const config: ConfigProtoJson = { deviceCount: { GPU: 0 }, gpuOptions: { allowGrowth: true } };
const rules: PlacementRule[] = [{ op: /conv/, device: '/CPU:0' }, { type: 'MatMul', device: '/CPU:0' }];
const options: LoadOptions = { tags: ['serve'], config, placement: rules, outputs: 'copy' };

export async function main(): Promise<number> {
  await tensorflow.open({ logLevel: 'warning', externalBuffers: false });
  await using model = await SavedModel.load(new URL('file:///model'), options);
  const x = Tensor.allocate('float32', [1, 8]);
  const bits: Float32Array = x.data;
  const { y } = await model.run({ x, z: [[1, 2]] }, { timeout: 1000, signal: AbortSignal.timeout(5) });
  const session: Session = model.session;
  const [first] = await session.run(['y:0'], { 'x:0': x });
  const report = await model.explain({ x });
  return bits.length + (y?.size ?? 0) + (first?.size ?? 0) + report.transfers.length;
}

main().catch((error: unknown) => {
  if (error instanceof TensorFlowError && error.code === 'NOT_FOUND') process.exitCode = 1;
});

// @ts-expect-error no such option
await SavedModel.load('model', { placements: [] });
// @ts-expect-error no such field of ConfigProto
await SavedModel.load('model', { config: { deviceCounts: {} } });
// @ts-expect-error meant for the library alone
Tensor.wrap('float32', [1], new Float32Array(1));
`;

/** `require` of it, from a CommonJS file. */
const COMMONJS = `import tf = require('tf-session');
export const shape: readonly number[] = tf.Tensor.from([[1, 2]]).shape;
`;

const COMPILER = {
  target: 'es2023',
  lib: ['es2023'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  skipLibCheck: false,
};

let consumer: Consumer;
beforeAll(async () => {
  consumer = await Consumer.make(['typescript', '@types/node']);
  await consumer.write({ 'program.ts': PROGRAM, 'commonjs.cts': COMMONJS });
});
afterAll(() => consumer.remove());

describe('the types, every declaration checked,', () => {
  it.each([
    ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }, ['program.ts', 'commonjs.cts']],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }, ['program.ts']],
  ])('compile under moduleResolution %s', async (name, modules, files) => {
    const config = `tsconfig.${name}.json`;
    await consumer.write({
      [config]: JSON.stringify({ compilerOptions: { ...COMPILER, ...modules }, files }),
    });
    const ended = await consumer.node('node_modules/typescript/bin/tsc', '-p', config);
    expect(output(ended).trim()).toBe('');
  });
});
