// What this library does on a real GPU: places, memory, alternating devices, errors, freezing. For a machine with an NVIDIA
// GPU and a GPU build of libtensorflow.
//
//     node scripts/gpu/look.mjs [--library FILE_OR_DIR] [--model FOLDER …] [--only CHECK …]
//
// `--model` takes SavedModels with one float32 input, which are run as saved, frozen and with float16, with 1 and 32 rows, and
// held against the CPU. Each check has a process of its own: what the first session of a process asks of a GPU holds for all.
// Prints what each has seen; ends with status 1 where one was not as it should be.
import { execFileSync, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { largestDifference } from '../../dist/freeze/options.js';
import { SavedModel, Tensor, TensorFlowError, tensorflow } from '../../dist/index.js';
import { measure } from '../bench/programs/timing.mjs';

const { values } = parseArgs({
  options: {
    library: { type: 'string' },
    model: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', multiple: true },
    child: { type: 'string' },
  },
});
const fixture = (name) => fileURLToPath(new URL(`../../test/fixtures/${name}/saved_model`, import.meta.url));
const FUNCTIONS = fixture('tf2-functions');
const x = [[1, 2, 3, 4, 5, 6, 7, 8]];
const grow = { gpuOptions: { allowGrowth: true } };

const checks = { hidden, growth, fraction, rules, alternate, saved, virtual, exhausted };

if (values.child !== undefined) {
  await tensorflow.open({ library: values.library });
  console.log(await (checks[values.child]?.() ?? compare(values.child)));
  process.exit();
}
for (const name of values.only ?? [
  ...Object.keys(checks),
  ...values.model.map((folder) => resolve(folder)),
]) {
  const args = [fileURLToPath(import.meta.url), '--child', name];
  if (values.library !== undefined) args.push('--library', values.library);
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  console.log(
    `${status === 0 ? 'ok  ' : 'FAIL'} ${name}: ${status === 0 ? stdout.trim() : stderr.slice(-800)}`,
  );
  if (status !== 0) process.exitCode = 1;
}

/** MiB taken of the first GPU, by all processes. */
function taken() {
  const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', '--id=0'];
  return Number(execFileSync('nvidia-smi', query, { encoding: 'utf8' }));
}

async function memoryOf(config) {
  const before = taken();
  const model = await SavedModel.load(FUNCTIONS, { config });
  await model.run({ x });
  return taken() - before;
}

function expect(isSo, what) {
  if (!isSo) throw new Error(what);
  return what;
}

async function hidden() {
  const mib = await memoryOf({ deviceCount: { GPU: 0 } });
  return expect(mib === 0, `deviceCount { GPU: 0 } takes ${mib} MiB of the GPU`);
}

async function growth() {
  const mib = await memoryOf(grow);
  return expect(mib > 0 && mib < 4096, `allowGrowth takes ${mib} MiB`);
}

async function fraction() {
  const mib = await memoryOf({ gpuOptions: { perProcessGpuMemoryFraction: 0.25 } });
  const total = (await tensorflow.devices()).find(({ type }) => type === 'GPU').memoryBytes / 2 ** 20;
  return expect(mib > total / 8, `perProcessGpuMemoryFraction 0.25 takes ${mib} MiB`);
}

/** Where the ops of these types ran, in short. */
async function places(model, types, options, given = { x }) {
  const { ops } = await model.explain(given, options);
  const ran = ops.filter(({ type, actual }) => actual !== null && types.includes(type));
  return [...new Set(ran.map(({ type, actual }) => `${type} ${actual.split(':').slice(-2).join(':')}`))].join(
    ', ',
  );
}

async function rules() {
  const placement = [
    { type: 'MatMul', device: '/GPU:0' },
    { op: '**', device: '/CPU:0' },
  ];
  const seen = [];
  for (const exact of [false, true]) {
    const model = await SavedModel.load(FUNCTIONS, { config: grow, placement, exact });
    seen.push(await places(model, ['MatMul', 'BiasAdd']));
  }
  return expect(
    seen.every((each) => each === 'MatMul GPU:0, BiasAdd CPU:0'),
    `by rule and exact: ${seen.join('; ')}`,
  );
}

async function alternate() {
  const model = await SavedModel.load(FUNCTIONS, { config: grow });
  const seen = [];
  for (const device of ['/GPU:0', '/CPU:0', '/GPU:0']) seen.push(await places(model, ['MatMul'], { device }));
  const wanted = 'MatMul GPU:0, MatMul CPU:0, MatMul GPU:0';
  return expect(seen.join(', ') === wanted, `run on GPU, CPU, GPU: ${seen.join(', ')}`);
}

async function saved() {
  const model = await SavedModel.load(fixture('saved-on-gpu'), { config: grow });
  const seen = await places(model, ['MatMul'], {}, { x: [[1, 2, 3, 4]] });
  return expect(seen === 'MatMul GPU:0', `saved with /device:GPU:0, loaded as it is: ${seen}`);
}

async function virtual() {
  const virtualDevices = [{ memoryLimitMb: [2048, 2048] }];
  const placement = [
    { type: 'MatMul', device: '/GPU:1' },
    { type: 'BiasAdd', device: '/GPU:0' },
  ];
  const config = { gpuOptions: { experimental: { virtualDevices } } };
  const seen = await places(await SavedModel.load(FUNCTIONS, { config, placement }), ['MatMul', 'BiasAdd']);
  return expect(seen === 'MatMul GPU:1, BiasAdd GPU:0', `over two virtual GPUs: ${seen}`);
}

async function exhausted() {
  const config = { gpuOptions: { perProcessGpuMemoryFraction: 0.006 } };
  const model = await SavedModel.load(FUNCTIONS, { config, placement: [{ op: '**', device: '/GPU:0' }] });
  const rows = Tensor.from(new Float32Array(8 << 25), [1 << 25, 8]);
  const error = await model.run({ x: rows }).catch((reason) => reason);
  const code = error instanceof TensorFlowError ? error.code : 'no error';
  const { y } = await model.run({ x });
  return expect(
    code === 'RESOURCE_EXHAUSTED' && y.shape[0] === 1,
    `out of memory: ${code}, and the next run is well`,
  );
}

/** Times, and differences from the CPU, of a model with one input. */
async function compare(folder) {
  const inputs = (model, rows) => {
    const [[name, { shape }]] = Object.entries(model.signatures.serving_default.inputs);
    const dims = shape.map((size, i) => (i === 0 ? rows : Math.max(1, size)));
    const size = dims.reduce((a, b) => a * b, 1);
    return {
      [name]: Tensor.from(
        Float32Array.from({ length: size }, (_, i) => ((i * 7919) % 1000) / 1000),
        dims,
      ),
    };
  };
  const cpu = await SavedModel.load(folder, { config: { deviceCount: { GPU: 0 } } });
  const [wanted] = Object.values(await cpu.run(inputs(cpu, 1)));
  await cpu.close();
  const half = { graphOptions: { rewriteOptions: { autoMixedPrecision: 'ON' } } };
  const lines = [''];
  for (const [what, options] of [
    ['as saved', { config: grow }],
    ['frozen', { config: grow, freeze: true }],
    ['frozen, float16', { config: { ...grow, ...half }, freeze: true }],
  ]) {
    const model = await SavedModel.load(folder, options);
    const [actual] = Object.values(await model.run(inputs(model, 1)));
    const apart = largestDifference(wanted, actual);
    const times = [];
    for (const rows of [1, 32]) {
      const given = inputs(model, rows);
      const { medianUs } = await measure(() => model.run(given), 0.5);
      times.push((medianUs / 1000).toFixed(2));
    }
    lines.push(
      `  ${what}: 1 row ${times[0]} ms, 32 rows ${times[1]} ms, ${apart.toExponential(1)} from the CPU`,
    );
    expect(apart < 1e-2, `${what} is ${apart} from the CPU`);
    await model.close();
  }
  return lines.join('\n');
}
