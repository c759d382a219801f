/** What the command is given: `--input`, `--rules`, `--config` and `--options`, as JSON of any kind, and arrays of NumPy's. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLoadOptions } from '../../lib/cli/arguments/model-options.js';
import { UsageError } from '../../lib/cli/arguments/usage-error.js';
import { makeInputs, readInputs } from '../../lib/cli/inputs/inputs.js';
import { readNpy } from '../../lib/cli/inputs/npy.js';
import { tensorFromNpy } from '../../lib/cli/inputs/npy-tensor.js';
import { DTYPES, type DType } from '../../lib/dtype.js';
import { TensorFlowError } from '../../lib/errors.js';
import { checkLoad } from '../../lib/load-options.js';
import { tensorToJson } from '../../lib/tensor-json.js';
import { command, temporaryFile } from '../cli/command.js';
import { fixture } from '../saved-model/models.js';
import { end, forAll, LIMIT_MS } from './property.js';

const dtypes = DTYPES.map(({ name }) => name);
const signature = (dtype: DType, shape: readonly number[] | null) => ({
  inputs: { x: { name: 'x:0', dtype, shape } },
  outputs: {},
  methodName: '',
});

/** As the command ends: told what is wrong with its use, or by a TensorFlowError. */
async function ends(call: () => unknown): Promise<string> {
  return end(async () => {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new TensorFlowError('INVALID_OPTION', error.message);
    }
  });
}

/** JSON that looks like tensors more often than chance would have it. */
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      0,
      -0,
      1,
      0.5,
      2 ** 53,
      1e308,
      true,
      null,
      'NaN',
      'Infinity',
      '-Infinity',
      '9223372036854775808',
      '',
    ),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.record(
      {
        dtype: fc.constantFrom(...dtypes, 'nonsense', 5),
        shape: fc.oneof(
          fc.array(fc.constantFrom(0, 1, 2, -1, 0.5, 2 ** 53, 'x'), { maxLength: 3 }),
          tie('json'),
        ),
        data: tie('json'),
        base64: fc.constantFrom('AA==', '!', 5, ''),
      },
      { requiredKeys: [] },
    ),
    fc.jsonValue({ maxDepth: 3 }),
  ),
}));

const TEXTS = [
  '',
  '=',
  'x',
  'x=',
  'x=[',
  'x=nonsense.json',
  'x=/.npy',
  'x=\0.npy',
  `x=${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  `x=${'[1,'.repeat(300)}1${']'.repeat(300)}`,
  'x={"__proto__":{"data":1}}',
  'x={"data":[1],"shape":[9007199254740993]}',
  'x={"data":[],"shape":[4294967296,4294967296,0]}',
  '__proto__=1',
  `${' '.repeat(100_000)}=1`,
];

describe('--input', { timeout: LIMIT_MS }, () => {
  const given = (text: string, dtype: DType, shape: readonly number[] | null) => async () => {
    const { x } = makeInputs(await readInputs([text]), 's', signature(dtype, shape), () => {});
    if (x!.dtype !== 'string' || x!.data.length < 1000) tensorToJson(x!);
  };

  it('of any JSON is a tensor or an error', async () => {
    const shapes = fc.constantFrom(null, [], [-1], [-1, 2], [1, 2]);
    await forAll([json, fc.constantFrom(...dtypes), shapes], 2000, async (value, dtype, shape) => {
      await ends(given(`x=${JSON.stringify(value)}`, dtype, shape));
    });
  });

  it('of any text is a tensor or an error', async () => {
    for (const text of TEXTS) await ends(given(text, 'float32', null));
    await forAll([fc.string({ unit: 'binary', maxLength: 40 })], 300, async (text) => {
      await ends(given(text, 'string', null));
      await ends(given(`x=${text}`, 'float32', [-1]));
    });
  });

  it('of a .npy file with changed bytes is a tensor or an error', async () => {
    const fields = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    const header = `${fields.padEnd(117)}\n`;
    const file = Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
      Buffer.from([header.length, 0]),
      Buffer.from(header, 'latin1'),
      Buffer.alloc(24, 1),
    ]);
    const change = fc.tuple(fc.nat({ max: file.length - 1 }), fc.nat({ max: 255 }));
    await forAll(
      [fc.array(change, { maxLength: 4 }), fc.nat({ max: file.length }), fc.constantFrom(...dtypes)],
      1000,
      async (changes, length, dtype) => {
        const bytes = new Uint8Array(file);
        for (const [at, byte] of changes) bytes[at] = byte;
        for (const part of [bytes, bytes.subarray(0, length)]) {
          // Of what is no such file it says why; the command makes a usage error of that.
          const array = await readOrTell(part);
          if (array !== undefined) await ends(() => tensorFromNpy(array, { dtype, shape: null }));
        }
      },
    );
  });
});

async function readOrTell(bytes: Uint8Array) {
  try {
    return readNpy(bytes, 'a.npy');
  } catch (error) {
    expect(Object.getPrototypeOf(error)).toSatisfy(
      (kind) => kind === Error.prototype || kind === TensorFlowError.prototype,
    );
    return undefined;
  }
}

describe('--rules, --config and --options', { timeout: LIMIT_MS }, () => {
  const entry = (...keys: string[]) =>
    fc.dictionary(fc.constantFrom(...keys, 'nonsense', '__proto__'), json, { maxKeys: 3 });
  const files = {
    rules: fc.oneof(
      json,
      fc.array(entry('op', 'type', 'scope', 'function', 'device', 'optional'), { maxLength: 3 }),
    ),
    config: fc.oneof(json, entry('deviceCount', 'gpuOptions', 'graphOptions', 'experimental')),
    options: fc.oneof(
      json,
      entry('tags', 'batcher', 'copies', 'freeze', 'devices', 'cluster', 'target', 'replicas'),
    ),
  };

  it.each(Object.entries(files))('%s of any JSON is taken or refused', async (option, contents) => {
    await forAll([contents], 150, async (value) => {
      const file = await temporaryFile('file.json', JSON.stringify(value) ?? '');
      await ends(async () => checkLoad(await readLoadOptions(fixture('chain'), { [option]: file })));
    });
  });
});

describe('the command', { timeout: LIMIT_MS }, () => {
  it.each([
    ['--input', `x=${'['.repeat(1000)}`],
    ['--input', `x=${'['.repeat(5000)}1${']'.repeat(5000)}`],
    ['--input', 'x={"data":[],"shape":[4294967296,4294967296,0]}'],
    ['--signature', '__proto__'],
    ['--device', '/CPU:99999999999999999999'],
    ['--tags', '\ud800,,__proto__'],
  ])('tells in one message, without a stack, what is wrong: %s', async (option, value) => {
    const ended = await command(['run', fixture('chain'), option, value]);
    expect([1, 2]).toContain(ended.status);
    expect(ended.stdout).toBe('');
    expect(ended.stderr).toMatch(/^tf-session: /m);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
  });
});
