import { expect, onTestFinished } from 'vitest';
import { type LoadOptions, SavedModel, Session, Tensor } from '../../lib/index.js';
import { addon } from '../../lib/runtime/addon.js';
import { collectUntil } from '../helpers/collect.js';
import { constant, FLOAT, graphBytes, identity, type as ofType } from '../placement/graphs.js';
import { fixture } from '../saved-model/models.js';

export const NOTHING = { graphs: 0, sessions: 0, calls: 0, tensors: 0, memories: 0, runs: 0 };
export const FOUR: LoadOptions = { config: { deviceCount: { CPU: 4, GPU: 0 } } };
export const ON_ONE: LoadOptions = {
  ...FOUR,
  clearDevices: true,
  placement: [{ op: '**', device: '/CPU:1' }],
};
export const X = { x: [[0, 1, 2, 3, 4, 5, 6, 7]] };
export const DEVICES = ['/CPU:0', '/CPU:1', '/CPU:2', '/CPU:3'];

/** y = 3 x */
export const TRIPLE = graphBytes([
  {
    name: 'x',
    op: 'Placeholder',
    attr: { dtype: ofType(FLOAT), shape: { value: { case: 'shape', value: { unknownRank: true } } } },
  },
  constant('three'),
  { name: 'product', op: 'Mul', input: ['x', 'three'], attr: { T: ofType(FLOAT) } },
  identity('y', 'product'),
]);

export const counts = () => addon().counts();
export const load = (name: string, options: LoadOptions = FOUR) => SavedModel.load(fixture(name), options);
export const collected = (wanted: Partial<typeof NOTHING>) =>
  collectUntil(() => Object.entries(wanted).every(([key, n]) => counts()[key as keyof typeof NOTHING] === n));

/** A first run on a device gives what the model gives, though its Buffer is filled anew at once. */
export async function refilled(
  name: string,
  signature: string,
  key: string,
  value: Buffer | Buffer[],
): Promise<void> {
  await using model = await load(name);
  const wanted = await model.run({ [key]: value }, { signature });
  const run = model.run({ [key]: value }, { signature, device: '/CPU:1' });
  (Array.isArray(value) ? value[0]! : value).fill(65);
  for (const [output, { data }] of Object.entries(await run)) expect(data).toEqual(wanted[output]!.data);
}

export function triple(options: LoadOptions): Promise<Session> {
  return Session.fromGraphDef(TRIPLE, options);
}

export function codeOf(error: { code: string }): string {
  return error.code;
}

/** Zeros for the only input. */
export function inputOf(model: SavedModel): Tensor {
  const [info] = Object.values(model.signatures.serving_default!.inputs);
  const shape = info!.shape!.map((size) => (size < 0 ? 1 : size));
  const size = shape.reduce((product, each) => product * each, 1);
  return Tensor.from(new Float32Array(size), shape);
}

/** This library's warnings during the test. Not the errors themselves, whose stack traces hold the model. */
export function heard(): { code: string | undefined; message: string }[] {
  const warnings: { code: string | undefined; message: string }[] = [];
  const hear = ({ name, code, message }: Error & { code?: string }) => {
    if (name === 'TensorFlowWarning') warnings.push({ code, message });
  };
  process.on('warning', hear);
  onTestFinished(() => {
    process.off('warning', hear);
  });
  return warnings;
}
