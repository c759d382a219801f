/** TensorProtos, by Python's own and by the schema. */
import { isUtf8 } from 'node:buffer';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { Tensor } from '../../lib/index.js';
import { TensorProtoSchema } from '../../lib/proto/tensorflow/core/framework/tensor_pb.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import { tensorOf } from '../../lib/warm-up/tensor-proto.js';
import { failure } from '../helpers/failure.js';
import { fixtureJson } from '../helpers/fixtures.js';
import { expectTensor, type JsonTensor } from '../helpers/json-tensor.js';

const cases = fixtureJson<(JsonTensor & { proto: string })[]>('warm-up', 'tensors.json');

it('are the tensors that Python made them of, each dtype, in one piece and value by value', () => {
  expect(new Set(cases.map(({ dtype }) => dtype)).size).toBeGreaterThan(25);
  for (const [i, { proto, ...json }] of cases.entries()) {
    expectTensor(asFetched(tensorOf(Buffer.from(proto, 'base64'))), json, `case ${i}, ${json.dtype}`);
  }
});

/** Strings as runs give them: text where it is UTF-8. */
function asFetched({ dtype, shape, data }: Tensor): Tensor {
  if (dtype !== 'string') return Tensor.wrap(dtype, shape, data);
  return Tensor.wrap(
    dtype,
    shape,
    (data as Buffer[]).map((entry) => (isUtf8(entry) ? `${entry}` : entry)),
  );
}

const dims = (...sizes: number[]) => ({ dim: sizes.map((size) => ({ size: BigInt(size) })) });
const bytes = (init: MessageInitShape<typeof TensorProtoSchema>) =>
  toBinary(TensorProtoSchema, create(TensorProtoSchema, init));

it('repeat the last value, or zero where there is none', () => {
  const float = { dtype: DataType.DT_FLOAT };
  expect(tensorOf(bytes({ ...float, tensorShape: dims(4), floatVal: [1, 2] })).data).toEqual(
    new Float32Array([1, 2, 2, 2]),
  );
  expect(tensorOf(bytes({ ...float, tensorShape: dims(2) })).data).toEqual(new Float32Array(2));
  expect(tensorOf(bytes({ ...float, floatVal: [3] })).shape).toEqual([]);
  const complex = { dtype: DataType.DT_COMPLEX64, tensorShape: dims(2), scomplexVal: [1, 2] };
  expect(tensorOf(bytes(complex)).data).toEqual(new Float32Array([1, 2, 1, 2]));
  expect(tensorOf(bytes({ dtype: DataType.DT_STRING, tensorShape: dims(1) })).data).toEqual([
    new Uint8Array(),
  ]);
});

it('are refused where values and shape do not agree, and where they hold handles', async () => {
  const float = { dtype: DataType.DT_FLOAT };
  const wrong = [
    { ...float, tensorShape: dims(1), floatVal: [1, 2] },
    { ...float, tensorShape: dims(2), tensorContent: new Uint8Array(7) },
    { ...float, tensorShape: dims(-1), floatVal: [1] },
    { ...float, tensorShape: { unknownRank: true } },
    { dtype: DataType.DT_STRING, tensorShape: dims(1), stringVal: [new Uint8Array(), new Uint8Array()] },
    { dtype: DataType.DT_COMPLEX64, tensorShape: dims(2), scomplexVal: [1] },
  ];
  for (const init of wrong)
    expect((await failure(() => tensorOf(bytes(init)))).code).toBe('INVALID_ARGUMENT');
  for (const init of [
    { dtype: DataType.DT_RESOURCE },
    { dtype: DataType.DT_STRING, tensorContent: new Uint8Array(2) },
  ]) {
    expect((await failure(() => tensorOf(bytes(init)))).code).toBe('UNIMPLEMENTED');
  }
});
