// The ways in which an input is taken: each ends in a result or in a TensorFlowError.
import { readFile } from 'node:fs/promises';
import { SavedModel, Session, Tensor, TensorFlowError } from '../../dist/index.js';
import { fromDist } from '../tools/dist.mjs';
import { fixturePath } from './inputs/inputs.mjs';

const { addon } = await fromDist('runtime/addon.js');
const { openLibrary } = await fromDist('runtime/tensorflow.js');
const { encodeConfig } = await fromDist('config.js');
const { decodeMetaGraph } = await fromDist('saved-model/reader.js');
const { signaturesOf } = await fromDist('saved-model/signatures.js');
const { readNpy } = await fromDist('cli/inputs/npy.js');
const { tensorFromNpy } = await fromDist('cli/inputs/npy-tensor.js');

/** Of each run: a graph that never ends is a model's right. */
const LIMIT_MS = 1500;
const OPTIONS = {
  config: { deviceCount: { CPU: 2 }, intraOpParallelismThreads: 1, interOpParallelismThreads: 2 },
  runOptions: { timeoutInMs: String(LIMIT_MS) },
};
const RULES = [{ op: '**', device: '/CPU:1' }];

/** Of a model's folder, by name. Each gives the code of the error, or `result`. */
export const WAYS = {
  /** TensorFlow's own loader. */
  plain: (path) => loaded(path, {}, runs),
  /** The import of this library. */
  rules: (path) => loaded(path, { placement: RULES }, runs),
  exact: (path) => loaded(path, { exact: true, clearDevices: true }, runs),
  freeze: (path) => loaded(path, { freeze: true }, runs),
  explain: (path) =>
    loaded(path, {}, async (model, signature, inputs) => {
      await model.explain(inputs, { signature, timeout: LIMIT_MS });
    }),
};

/** What TensorFlow itself makes of it: with none of this library's checks before. */
export async function unguarded(path) {
  await openLibrary();
  const { session: native, metaGraph } = await addon().loadSavedModel(
    path,
    ['serve'],
    encodeConfig(OPTIONS.config),
    undefined,
  );
  const session = new Session(native, {});
  try {
    for (const { inputs, outputs } of Object.values(signaturesOf(decodeMetaGraph(metaGraph)))) {
      const fed = Object.values(inputs).map((info) => [info.name, filler(info)]);
      await session.run(
        Object.values(outputs).map(({ name }) => name),
        Object.fromEntries(fed),
        { timeout: LIMIT_MS },
      );
    }
  } finally {
    await session.close();
  }
}

async function loaded(path, options, step) {
  const model = await SavedModel.load(path, { ...OPTIONS, ...options });
  try {
    let last;
    for (const [signature, { inputs }] of Object.entries(model.signatures).slice(0, 3)) {
      try {
        const fed = Object.entries(inputs).map(([key, info]) => [key, filler(info)]);
        await step(model, signature, Object.fromEntries(fed));
      } catch (error) {
        if (!(error instanceof TensorFlowError)) throw error;
        last = error;
      }
    }
    if (last !== undefined) throw last;
  } finally {
    await model.close();
  }
}

async function runs(model, signature, inputs) {
  const outputs = await model.run(inputs, { signature, timeout: LIMIT_MS });
  for (const tensor of Object.values(outputs)) void tensor.data[0];
}

/** Whatever the signature says: of unknown sizes two, of large ones two as well, which the check of inputs refuses. */
function filler({ dtype, shape }) {
  const sizes = (shape ?? [2]).slice(0, 300).map((size) => (size < 0 || size > 64 ? 2 : size));
  const count = sizes.reduce((product, size) => product * size, 1);
  if (count > 65_536) return 0;
  const value = dtype === 'string' ? 'a word' : dtype === 'bool' ? true : 1;
  return Tensor.from(new Array(count).fill(value), sizes, dtype);
}

let everyDtype;

/** A file of NumPy's, as the command reads it, for each signature whose input it fits or does not. */
export async function npy(path, number) {
  everyDtype ??= await SavedModel.load(fixturePath('every-dtype'), OPTIONS);
  const array = readNpy(await readFile(path), path);
  const signatures = Object.entries(everyDtype.signatures);
  const own = signatures.find(([, { inputs }]) =>
    Object.values(inputs).some(({ dtype }) => dtype === array.dtype),
  );
  const [signature, { inputs }] =
    own !== undefined && number % 3 > 0 ? own : signatures[number % signatures.length];
  const fed = Object.entries(inputs).map(([key, info]) => [key, tensorFromNpy(array, info).tensor]);
  const outputs = await everyDtype.run(Object.fromEntries(fed), { signature, timeout: LIMIT_MS });
  for (const tensor of Object.values(outputs)) void tensor.data[0];
}

/** How it ended: `result`, the code of a TensorFlowError, or `foreign: ` and what else was thrown. */
export async function ended(work) {
  try {
    await work;
    return 'result';
  } catch (error) {
    return error instanceof TensorFlowError ? error.code : `foreign: ${error?.stack ?? String(error)}`;
  }
}
