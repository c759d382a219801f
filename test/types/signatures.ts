/** What the compiler makes of signatures that are known as types: `npm run types` checks each line that must not compile. */
import { SavedModel, Tensor } from '../../lib/index.js';
import type { Signatures } from './several.js';
import type { Signatures as Strings } from './strings.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles where the two types are one. */
const same = <A, B>(isSame: Equal<A, B>) => isSame;

export async function typed(directory: string, unknownShape: number[]): Promise<void> {
  const model = await SavedModel.load<Signatures>(directory);
  const row = Tensor.from(new Float32Array(3), [1, 3]);

  same<keyof typeof model.signatures, keyof Signatures>(true);
  same<ReturnType<typeof model.reload>, Promise<boolean>>(true);

  const outputs = await model.run({ x: row });
  same<keyof typeof outputs, 'largest' | 'sum' | 'weighted'>(true);
  same<typeof outputs.largest, Tensor<'int64', 1>>(true);
  const data: Float32Array = outputs.weighted.data;
  data.fill(0);
  same<typeof outputs.weighted.shape, readonly [number, number]>(true);

  await model.run({ x: [[1, 2, 3]] });
  await model.run({ x: new Float32Array(3) });
  await model.run({ x: Tensor.from(new Float32Array(3), unknownShape) });
  await model.run({ x: Tensor.allocate('float32', [1, 3]) });

  // @ts-expect-error No input.
  await model.run();
  // @ts-expect-error A name that does not exist.
  await model.run({ y: row });
  // @ts-expect-error One too many.
  await model.run({ x: row, y: row });
  // @ts-expect-error Another data type.
  await model.run({ x: Tensor.from(new Float64Array(3), [1, 3]) });
  // @ts-expect-error The same, of a typed array.
  await model.run({ x: new Int32Array(3) });
  // @ts-expect-error Texts.
  await model.run({ x: [['a', 'b', 'c']] });
  // @ts-expect-error Another rank.
  await model.run({ x: Tensor.from(new Float32Array(3), [3]) });
  // @ts-expect-error The same, of arrays.
  await model.run({ x: [1, 2, 3] });
  // @ts-expect-error The same, one level too deep.
  await model.run({ x: [[[1, 2, 3]]] });
  // @ts-expect-error A signature that does not exist.
  await model.run({ x: row }, { signature: 'serving' });
  // @ts-expect-error An output that does not exist.
  await model.run({ x: row }, { outputs: ['product'] });
  // @ts-expect-error The inputs of another signature.
  await model.run({ x: row }, { signature: 'scale' });

  const scaled = await model.run({ x: row, by: 2 }, { signature: 'scale', outputs: ['y'] });
  same<typeof scaled, { y: Tensor<'float32', 2> }>(true);
  const some = await model.run({ x: row }, { outputs: ['sum'] });
  same<keyof typeof some, 'sum'>(true);
  // @ts-expect-error It was not asked for.
  some.largest;

  same<keyof typeof model.signatures, 'measure' | 'scale' | 'serving_default'>(true);
  // @ts-expect-error No such signature.
  model.signatures.serving;

  const sync = model.runSync({ text: ['a'] }, { signature: 'measure' });
  same<typeof sync.length, Tensor<'int32', 1>>(true);
  const call = model.prepare({ signature: 'measure' });
  same<Awaited<ReturnType<typeof call.run>>['length'], Tensor<'int32', 1>>(true);
  // @ts-expect-error Numbers for texts.
  await call.run({ text: [1] });
  const batcher = model.batcher({ outputs: ['sum'] });
  same<keyof Awaited<ReturnType<typeof batcher.run>>, 'sum'>(true);
  // @ts-expect-error A name that does not exist.
  await batcher.run({ z: row });
  const trace = await model.trace({ x: row }, { outputs: ['sum'] });
  same<keyof typeof trace.outputs, 'sum'>(true);
  // @ts-expect-error A name that does not exist.
  await model.explain({ z: row });
}

export async function ofAnyRank(directory: string): Promise<void> {
  const model = await SavedModel.load<Strings>(directory);
  const { text } = await model.run({ text: [['a'], ['b']] }, { signature: 'same' });
  same<typeof text.shape, readonly number[]>(true);
  await model.run({ text: 'a' }, { signature: 'same' });
  await model.run({}, { signature: 'raw' });
  // @ts-expect-error A scalar is no list.
  await model.run({ name: ['a'] }, { signature: 'greet' });
}

export async function unknown(directory: string): Promise<void> {
  const model = await SavedModel.load(directory);
  const outputs = await model.run({ anything: [1, 2] }, { signature: 'any', outputs: ['y'] });
  same<typeof outputs, Record<string, Tensor>>(true);
  await model.run();
  const typedModel = await SavedModel.load<Signatures>(directory);
  const plain: Pick<SavedModel, 'directory' | 'close' | 'devices'> = typedModel;
  await plain.close();
}

const half = Tensor.from([1, 2], [2], 'float16');

const bits = Tensor.from(new BigInt64Array(2), [2]);
same<typeof half, Tensor<'float16', 1>>(true);
same<typeof bits, Tensor<'int64', 1>>(true);
