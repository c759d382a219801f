import { runInNewContext } from 'node:vm';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  type ConfigProtoJson,
  decodeConfig,
  decodeRunMetadata,
  decodeRunOptions,
  encodeConfig,
  encodeRunOptions,
} from '../lib/config.js';
import { TensorFlowError } from '../lib/errors.js';
import {
  ConfigProtoSchema,
  GPUOptionsSchema,
  OptimizerOptions_GlobalJitLevel,
  RunMetadataSchema,
  RunOptions_TraceLevel,
} from '../lib/proto/tensorflow/core/protobuf/config_pb.js';

/** The config as TensorFlow will read it. */
function roundTrip(config: unknown) {
  return decodeConfig(encodeConfig(config as ConfigProtoJson)!);
}

/** The message of the INVALID_OPTION that `config` must give. */
function refusal(config: unknown): string {
  try {
    encodeConfig(config as ConfigProtoJson);
  } catch (error) {
    expect(error).toBeInstanceOf(TensorFlowError);
    expect((error as TensorFlowError).code).toBe('INVALID_OPTION');
    return (error as TensorFlowError).message;
  }
  throw new Error('was accepted');
}

describe('encodeConfig', () => {
  it('encodes the bytes that the protobuf schema asks for', () => {
    expect(encodeConfig({ allowSoftPlacement: true, deviceCount: { GPU: 0 } })).toEqual(
      new Uint8Array([0x0a, 0x07, 0x0a, 0x03, 0x47, 0x50, 0x55, 0x10, 0x00, 0x38, 0x01]),
    );
  });

  it('leaves undefined to TensorFlow and takes an empty object', () => {
    expect(encodeConfig(undefined)).toBeUndefined();
    expect(encodeConfig({})).toEqual(new Uint8Array());
  });

  it('takes every kind of value', () => {
    const config = {
      deviceCount: { CPU: 4, GPU: 0 },
      intraOpParallelismThreads: 2,
      deviceFilters: ['/job:a', '/job:b'],
      sessionInterOpThreadPool: [{ numThreads: 3, globalName: 'x' }, {}],
      operationTimeoutInMs: 5,
      graphOptions: {
        buildCostModel: 7n,
        buildCostModelAfter: '9007199254740993',
        optimizerOptions: { globalJitLevel: 'ON_1' },
        rewriteOptions: {
          disableMetaOptimizer: true,
          customOptimizers: [
            { name: 'o', parameterMap: { k: { s: new Uint8Array([1, 255]) }, n: { i: 3 } } },
          ],
        },
      },
      gpuOptions: {
        perProcessGpuMemoryFraction: Number.POSITIVE_INFINITY,
        experimental: { virtualDevices: [{ memoryLimitMb: [1.5, Number.NaN] }] },
      },
      clusterDef: { job: [{ name: 'worker', tasks: { 1: 'host:1' } }] },
    } satisfies ConfigProtoJson;
    const message = roundTrip(config);
    expect(message.deviceCount).toEqual({ CPU: 4, GPU: 0 });
    expect(message.sessionInterOpThreadPool.map((p) => p.numThreads)).toEqual([3, 0]);
    expect(message.operationTimeoutInMs).toBe(5n);
    expect(message.graphOptions?.buildCostModel).toBe(7n);
    expect(message.graphOptions?.buildCostModelAfter).toBe(9007199254740993n);
    expect(message.graphOptions?.optimizerOptions?.globalJitLevel).toBe(OptimizerOptions_GlobalJitLevel.ON_1);
    const optimizer = message.graphOptions?.rewriteOptions?.customOptimizers[0];
    expect(optimizer?.parameterMap.k?.value).toEqual({ case: 's', value: new Uint8Array([1, 255]) });
    expect(optimizer?.parameterMap.n?.value).toEqual({ case: 'i', value: 3n });
    expect(message.gpuOptions?.perProcessGpuMemoryFraction).toBe(Number.POSITIVE_INFINITY);
    expect(message.gpuOptions?.experimental?.virtualDevices[0]?.memoryLimitMb).toEqual([1.5, Number.NaN]);
    expect(message.clusterDef?.job[0]?.tasks).toEqual({ 1: 'host:1' });
  });

  it('takes the names of the .proto too, and enums by number, also newer ones', () => {
    expect(roundTrip({ allow_soft_placement: true, gpu_options: { allow_growth: true } })).toEqual(
      roundTrip({ allowSoftPlacement: true, gpuOptions: { allowGrowth: true } }),
    );
    const jit = (level: number) =>
      roundTrip({ graphOptions: { optimizerOptions: { globalJitLevel: level } } }).graphOptions
        ?.optimizerOptions?.globalJitLevel;
    expect(jit(-1)).toBe(OptimizerOptions_GlobalJitLevel.OFF);
    expect(jit(99)).toBe(99);
  });

  it('treats undefined and null as absent, however deep', () => {
    expect(
      encodeConfig({
        allowSoftPlacement: undefined,
        gpuOptions: { allowGrowth: undefined, experimental: { virtualDevices: undefined } },
        deviceCount: { GPU: undefined },
      }),
    ).toEqual(encodeConfig({ gpuOptions: { experimental: {} } }));
    expect(encodeConfig({ gpuOptions: null } as unknown as ConfigProtoJson)).toEqual(new Uint8Array());
    expect(encodeConfig({ nonsense: undefined } as ConfigProtoJson)).toEqual(new Uint8Array());
  });

  it('keeps keys that are special to JavaScript', () => {
    const { deviceCount } = roundTrip(JSON.parse('{"deviceCount":{"__proto__":1,"constructor":2}}'));
    expect(Object.entries(deviceCount)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ]);
    expect(refusal(JSON.parse('{"__proto__":1}'))).toContain('config.__proto__ does not exist');
    expect(refusal({ constructor: 1 })).toContain('config.constructor does not exist');
  });

  it('takes objects without a prototype and of other realms', () => {
    const bare = Object.assign(Object.create(null), { allowSoftPlacement: true });
    expect(roundTrip(bare).allowSoftPlacement).toBe(true);
    const foreign = runInNewContext('({ deviceCount: { GPU: 3 }, deviceFilters: ["/job:a"] })');
    expect(roundTrip(foreign).deviceCount).toEqual({ GPU: 3 });
    expect(encodeConfig(runInNewContext('new Uint8Array([0x38, 1])'))).toHaveLength(2);
  });

  it('reads getters once and through proxies', () => {
    let reads = 0;
    const config = {
      get allowSoftPlacement() {
        reads++;
        return reads === 1 ? true : 'changed';
      },
    };
    expect(roundTrip(new Proxy(config, {})).allowSoftPlacement).toBe(true);
    expect(reads).toBe(1);
    const throwing = {
      get gpuOptions() {
        throw new Error('not today');
      },
    };
    expect(refusal(throwing)).toBe('config could not be read: not today');
  });

  it('hands valid bytes back as they are, in memory of their own, and keeps fields it does not know', () => {
    const bytes = toBinary(ConfigProtoSchema, create(ConfigProtoSchema, { allowSoftPlacement: true }));
    const unknown = new Uint8Array([...bytes, 0xf8, 0x7f, 0x05]); // field 2047
    const encoded = encodeConfig(unknown);
    expect(encoded).toEqual(unknown);
    expect(encoded).not.toBe(unknown); // which may be written to
    expect(toBinary(ConfigProtoSchema, decodeConfig(unknown))).toEqual(unknown);
    expect(encodeConfig(new Uint8Array())).toEqual(new Uint8Array());
  });

  const refused: [unknown, string, string][] = [
    [{ alowSoftPlacement: true }, 'config.alowSoftPlacement does not exist', '"allowSoftPlacement"'],
    [{ gpuOptions: { allowGroth: true } }, 'config.gpuOptions.allowGroth', 'Did you mean "allowGrowth"?'],
    [{ allowGrowth: true }, 'config.allowGrowth', 'It is a field of config.gpuOptions.'],
    [
      { sessionInterOpThreadPool: [{}, { numThread: 1 }] },
      'config.sessionInterOpThreadPool[1].numThread',
      '',
    ],
    [{ allowSoftPlacement: 'yes' }, 'config.allowSoftPlacement is "yes"', 'true or false'],
    [{ allowSoftPlacement: 1 }, 'config.allowSoftPlacement is 1', 'true or false'],
    [{ deviceCount: { GPU: 1.5 } }, 'config.deviceCount.GPU is 1.5', 'an integer from -2147483648'],
    [{ deviceCount: { GPU: 2 ** 31 } }, 'config.deviceCount.GPU is 2147483648', 'to 2147483647'],
    [{ deviceCount: { 'a b': null } }, 'config.deviceCount["a b"] is null', 'an integer'],
    [{ deviceCount: new Map() }, 'config.deviceCount is an instance of Map', 'an object'],
    [{ deviceFilters: 'a' }, 'config.deviceFilters is "a"', 'an array'],
    [{ deviceFilters: ['a', undefined] }, 'config.deviceFilters[1] is undefined', 'a string'],
    [{ deviceFilters: ['\ud800'] }, 'config.deviceFilters[0] is ', 'lone surrogates'],
    [
      { operationTimeoutInMs: 2n ** 63n },
      'config.operationTimeoutInMs is 9223372036854775808n',
      'to 9223372036854775807',
    ],
    [{ operationTimeoutInMs: '1s' }, 'config.operationTimeoutInMs is "1s"', 'an integer'],
    [{ gpuOptions: true }, 'config.gpuOptions is true', 'an object with the fields of tensorflow.GPUOptions'],
    [{ gpuOptions: [] }, 'config.gpuOptions is an array', 'an object'],
    [{ gpuOptions: { perProcessGpuMemoryFraction: '' } }, 'perProcessGpuMemoryFraction is ""', 'a number'],
    [
      { gpuOptions: { experimental: { virtualDevices: [{ memoryLimitMb: [1e39] }] } } },
      'config.gpuOptions.experimental.virtualDevices[0].memoryLimitMb[0] is 1e+39',
      'float32',
    ],
    [
      { graphOptions: { optimizerOptions: { globalJitLevel: 'ON1' } } },
      'config.graphOptions.optimizerOptions.globalJitLevel is "ON1"',
      'Did you mean "ON_1"',
    ],
    [
      { graphOptions: { optimizerOptions: { globalJitLevel: true } } },
      'globalJitLevel is true',
      'one of DEFAULT, OFF',
    ],
    [
      { clusterDef: { job: [{ tasks: { one: 'x' } }] } },
      'config.clusterDef.job[0].tasks.one is "one"',
      'an integer',
    ],
    [{ allowSoftPlacement: true, allow_soft_placement: true }, 'config sets allowSoftPlacement twice', ''],
    [
      {
        graphOptions: {
          rewriteOptions: { customOptimizers: [{ parameterMap: { k: { s: 'AA==', i: 1 } } }] },
        },
      },
      'config.graphOptions.rewriteOptions.customOptimizers[0].parameterMap.k sets both s and i',
      '',
    ],
    [
      { graphOptions: { rewriteOptions: { customOptimizers: [{ parameterMap: { k: { s: 'a' } } }] } } },
      'parameterMap.k.s is "a"',
      'a Uint8Array or base64',
    ],
    [null, 'config is null', 'the bytes of a serialized one'],
    [[], 'config is an array', 'tensorflow.ConfigProto'],
    [() => {}, 'config is a function', ''],
    ['{}', 'config is "{}"', ''],
    [new Date(), 'config is an instance of Date', ''],
    [new (class Settings {})(), 'config is an instance of Settings', ''],
    [new Float32Array(1), 'config is an instance of Float32Array', ''],
    [new Uint8Array([0x0a, 0xff]), 'config holds 2 bytes that are no serialized tensorflow.ConfigProto', ''],
    [new TextEncoder().encode('{"allowSoftPlacement": true}'), 'config holds 28 bytes', ''],
  ];
  it.each(refused.map(([config, start, wanted]) => ({ config, start, wanted })))('refuses: $start', (row) => {
    const { config, start, wanted } = row;
    const message = refusal(config);
    expect(message).toContain(start);
    expect(message).toContain(wanted);
  });

  it('refuses an object that contains itself', () => {
    const attr: { list?: unknown; func?: unknown } = {};
    attr.func = { name: 'f', attr: { again: attr } };
    const config = {
      graphOptions: { rewriteOptions: { customOptimizers: [{ parameterMap: { k: attr } }] } },
    };
    expect(refusal(config)).toMatch(/^config is nested more than \d+ messages deep/);
  });

  it('has types that refuse what it refuses', () => {
    // @ts-expect-error a key that does not exist
    expect(() => encodeConfig({ allowSoftPlacment: true })).toThrow();
    // @ts-expect-error a string where a bool belongs
    expect(() => encodeConfig({ gpuOptions: { allowGrowth: 'true' } })).toThrow();
    // @ts-expect-error an enum name that does not exist
    expect(() => encodeRunOptions({ traceLevel: 'EVERYTHING' })).toThrow(/FULL_TRACE/);
    encodeRunOptions({ traceLevel: RunOptions_TraceLevel.FULL_TRACE, timeoutInMs: 1n });
  });
});

describe('run options and metadata', () => {
  it('encodes RunOptions, with errors that say so', () => {
    const bytes = encodeRunOptions({ traceLevel: 'FULL_TRACE', timeoutInMs: 250 })!;
    expect(decodeRunOptions(bytes)).toMatchObject({
      traceLevel: RunOptions_TraceLevel.FULL_TRACE,
      timeoutInMs: 250n,
    });
    expect(encodeRunOptions(undefined)).toBeUndefined();
    expect(() => encodeRunOptions({ tracelevel: 1 } as object)).toThrow(
      /runOptions\.tracelevel .*Did you mean "traceLevel"/,
    );
  });

  it('decodes RunMetadata, and classifies what is none', () => {
    const metadata = create(RunMetadataSchema, { partitionGraphs: [{ node: [{ name: 'a' }] }] });
    const decoded = decodeRunMetadata(toBinary(RunMetadataSchema, metadata));
    expect(decoded.partitionGraphs[0]?.node[0]?.name).toBe('a');
    expect(() => decodeRunMetadata(new Uint8Array([0x0a, 0x7f]))).toThrow(TensorFlowError);
  });

  it('names the option it is told to name', () => {
    expect(() => encodeConfig({ gpuOption: 1 } as object, 'options.config')).toThrow(
      /^options\.config\.gpuOption /,
    );
    expect(() => encodeConfig({ gpuOptions: GPUOptionsSchema } as object)).toThrow(/config\.gpuOptions/);
  });
});

describe('thread counts that TensorFlow does not survive', () => {
  it.each([
    [{ intraOpParallelismThreads: -1 }, 'config.intraOpParallelismThreads'],
    [{ intraOpParallelismThreads: 1e6 }, 'config.intraOpParallelismThreads'],
    [{ interOpParallelismThreads: 1e6 }, 'config.interOpParallelismThreads'],
    [{ sessionInterOpThreadPool: [{}, { numThreads: -3 }] }, 'config.sessionInterOpThreadPool[1].numThreads'],
  ])('are refused: %j', (config, path) => {
    expect(() => encodeConfig(config)).toThrow(path);
  });

  it('are refused in a serialized message, too', () => {
    const bytes = Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    expect(() => encodeConfig(bytes)).toThrow('config.intraOpParallelismThreads');
  });

  it("leave -1 inter-op threads alone: the caller's own", () => {
    expect(encodeConfig({ interOpParallelismThreads: -1 })).toBeInstanceOf(Uint8Array);
  });
});
