import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { TensorFlowError } from '../../lib/errors.js';
import { DataType } from '../../lib/proto/tensorflow/core/framework/types_pb.js';
import { MetaGraphDefSchema } from '../../lib/proto/tensorflow/core/protobuf/meta_graph_pb.js';
import { readMetaGraph } from '../../lib/saved-model/reader.js';
import { defaultSignature, findSignature, signaturesOf } from '../../lib/saved-model/signatures.js';
import { fixture, type MetaGraphInit, metaGraph } from './models.js';

type SignatureInit = NonNullable<MetaGraphInit['signatureDef']>[string];

/** Signatures of a MetaGraph that went through its bytes, as every real one did. */
function signatures(signatureDef: Record<string, SignatureInit>) {
  const bytes = toBinary(MetaGraphDefSchema, metaGraph({ signatureDef }));
  return signaturesOf(fromBinary(MetaGraphDefSchema, bytes));
}

const named = (value: string) => ({ case: 'name' as const, value });

describe('signaturesOf', () => {
  it('gives names, data types and shapes', async () => {
    const found = signaturesOf(await readMetaGraph(fixture('tf2-functions'), ['serve']));
    expect(found).toEqual({
      serving_default: {
        inputs: { x: { name: 'serving_default_x:0', dtype: 'float32', shape: [-1, 8] } },
        outputs: { y: { name: 'StatefulPartitionedCall:0', dtype: 'float32', shape: [-1, 4] } },
        methodName: 'tensorflow/serving/predict',
      },
    });
  });

  it('tells scalars, open dimensions and open ranks apart', async () => {
    const { inputs } = signaturesOf(await readMetaGraph(fixture('dims'), ['serve'])).serving_default!;
    expect(inputs.scalar?.shape).toEqual([]);
    expect(inputs.mixed?.shape).toEqual([-1, 3, -1]);
    expect(inputs.free?.shape).toBeNull();
    const bare = signatures({ s: { inputs: { x: { encoding: named('x:0'), dtype: DataType.DT_FLOAT } } } });
    expect(bare.s?.inputs.x?.shape).toBeNull();
  });

  it('names every data type, reference types as what they refer to', () => {
    const numbers = Object.values(DataType).filter((n): n is DataType => typeof n === 'number' && n > 0);
    const inputs = Object.fromEntries(
      numbers.map((dtype) => [DataType[dtype], { encoding: named('x:0'), dtype }]),
    );
    const found = signatures({ s: { inputs } }).s!.inputs;
    expect(Object.keys(found)).toHaveLength(numbers.length);
    expect(found.DT_HALF?.dtype).toBe('float16');
    expect(found.DT_FLOAT8_E4M3B11FNUZ?.dtype).toBe('float8_e4m3b11fnuz');
    expect(found.DT_FLOAT_REF?.dtype).toBe('float32');
    for (const number of numbers.filter((n) => n < 100)) {
      expect(found[`${DataType[number]}_REF`]?.dtype).toBe(found[DataType[number]!]?.dtype);
    }
  });

  it('says which tensor has a data type from the future', () => {
    const future = () =>
      signatures({ s: { outputs: { y: { encoding: named('y:0'), dtype: 77 as DataType } } } });
    expect(future).toThrow(TensorFlowError);
    expect(future).toThrow(/"y", output of signature "s".*77/);
  });

  it('hides what TensorFlow keeps in the same map', () => {
    expect(
      Object.keys(signatures({ b: {}, __saved_model_init_op: {}, a: {}, __saved_model_train_op: {} })),
    ).toEqual(['a', 'b']);
  });

  it('takes any name', () => {
    const names = ['__proto__', 'constructor', 'toString', '', 'a/b', 'ß'];
    const tensors = JSON.parse('{}');
    const all = JSON.parse('{}');
    for (const name of names) {
      const value = { encoding: named('x:0'), dtype: DataType.DT_FLOAT };
      Object.defineProperty(tensors, name, { value, enumerable: true });
    }
    for (const name of names)
      Object.defineProperty(all, name, { value: { inputs: tensors }, enumerable: true });
    const found = signatures(all);
    expect(Object.keys(found)).toEqual([...names].sort());
    for (const name of names) {
      expect(Object.keys(findSignature(found, name)[1].inputs)).toEqual([...names].sort());
    }
    expect(() => findSignature(signatures({ a: {} }), 'constructor')).toThrow(/no signature "constructor"/);
    expect(signatures({}).toString).toBeUndefined();
  });

  it('takes sparse and composite tensors apart', () => {
    const sparse: NonNullable<SignatureInit['inputs']>[string] = {
      encoding: {
        case: 'cooSparse',
        value: { valuesTensorName: 'v:0', indicesTensorName: 'i:0', denseShapeTensorName: 's:0' },
      },
      dtype: DataType.DT_STRING,
      tensorShape: { dim: [{ size: -1n }, { size: 5n }] },
    };
    const components = [{ encoding: named('flat:0'), dtype: DataType.DT_INT32 }, sparse];
    const ragged = { encoding: { case: 'compositeTensor' as const, value: { components } } };
    const { inputs } = signatures({ s: { inputs: { sparse, ragged, none: { dtype: DataType.DT_BOOL } } } })
      .s!;
    expect(inputs).toEqual({
      'sparse/indices': { name: 'i:0', dtype: 'int64', shape: [-1, 2] },
      'sparse/values': { name: 'v:0', dtype: 'string', shape: [-1] },
      'sparse/dense_shape': { name: 's:0', dtype: 'int64', shape: [2] },
      'ragged/0': { name: 'flat:0', dtype: 'int32', shape: null },
      'ragged/1/indices': { name: 'i:0', dtype: 'int64', shape: [-1, 2] },
      'ragged/1/values': { name: 'v:0', dtype: 'string', shape: [-1] },
      'ragged/1/dense_shape': { name: 's:0', dtype: 'int64', shape: [2] },
      none: { name: '', dtype: 'bool', shape: null },
    });
  });
});

describe('the signature that is meant', () => {
  it('is serving_default, else the only one', () => {
    expect(defaultSignature(signatures({ a: {}, serving_default: {} }))).toBe('serving_default');
    expect(defaultSignature(signatures({ only: {}, __saved_model_init_op: {} }))).toBe('only');
    expect(findSignature(signatures({ only: { methodName: 'm' } }))[1].methodName).toBe('m');
  });

  it('is an error that lists them where it is open', () => {
    expect(() => defaultSignature(signatures({ b: {}, a: {} }))).toThrow(/Name one of: a, b\.$/);
    expect(() => defaultSignature(signatures({}))).toThrow(/no signatures.*session\.run/);
    expect(() => findSignature(signatures({ predict: {}, train: {} }), 'predcit')).toThrow(
      /no signature "predcit"\. Did you mean "predict"\? It has predict, train\./,
    );
    try {
      defaultSignature(signatures({}));
    } catch (error) {
      expect((error as TensorFlowError).code).toBe('INVALID_ARGUMENT');
    }
  });
});
