// What is measured: the models with how they are fed, the measurements, and the ratios that should hold.

/** Feeds by the name in the signature; `op`s are the graph's own names, for programs below the signatures. */
export const MODELS = {
  tiny: { input: 'x', shape: [1, 8] },
  strings: { input: 'x', shape: [1000], dtype: 'string' },
  mlp: { shape: [1, 1024] },
  copy: { input: 'x', shape: [16384, 1024] },
  mobilenet: { shape: [1, 224, 224, 3] },
  resnet: { shape: [1, 224, 224, 3] },
};

/**
 * One measurement: a program, on a model, in a mode. `seconds` of the measured loop; `tuned` is the tolerance of the search
 * whose options are taken.
 *
 * @typedef {{ program: 'raw' | 'ours' | 'paired' | 'python' | 'tfjs' | 'onnx', model: string, mode?: string, beside?: string[], options?: object, batch?: number, seconds?: number, tuned?: string }} Measurement
 */
/** One process for both, where the limit is smaller than what two processes of one program differ by. */
const paired = (model, mode, beside, more = {}) => ({ program: 'paired', model, mode, beside, ...more });
const ours = (model, mode, more = {}) => ({ program: 'ours', model, mode, ...more });
const raw = (model, mode = 'copies', more = {}) => ({ program: 'raw', model, mode, ...more });

const python = (model, more = {}) => ({ program: 'python', model, ...more });
const tfjs = (model, more = {}) => ({ program: 'tfjs', model, ...more });
const onnx = (model, more = {}) => ({ program: 'onnx', model, ...more });

/** @type {Record<string, Measurement>} */
export const MEASUREMENTS = {
  'tiny, raw C': raw('tiny'),
  'tiny, await, paired': paired('tiny', 'await', ['empty', 'raw, caller']),
  'tiny, await, to the bare addon': paired('tiny', 'await', ['hop await']),
  'tiny, runSync, paired': paired('tiny', 'sync', ['hop sync']),
  'MLP 1, paired': paired('mlp', 'await', ['hop await']),
  'MLP 32, paired': paired('mlp', 'await', ['hop await'], { batch: 32 }),
  'MobileNetV2, paired': paired('mobilenet', 'await', ['raw'], { seconds: 3 }),
  'ResNet50, paired': paired('resnet', 'await', ['raw'], { seconds: 5 }),
  'MobileNetV2, freeze, paired': paired('mobilenet', 'await', ['raw'], {
    seconds: 3,
    options: { freeze: true },
  }),
  'ResNet50, freeze, paired': paired('resnet', 'await', ['raw'], { seconds: 5, options: { freeze: true } }),
  'tiny, await run': ours('tiny', 'await'),
  'tiny, runSync': ours('tiny', 'sync'),
  'tiny, 16 in flight': ours('tiny', 'flight'),
  'tiny, Python': python('tiny'),
  'tiny, tfjs-node': tfjs('tiny'),
  'tiny, onnxruntime-node': onnx('tiny'),
  'MLP 1, ours': ours('mlp', 'await'),
  'MLP 1, raw C': raw('mlp'),
  'MLP 1, Python': python('mlp'),
  'MLP 1, tfjs-node': tfjs('mlp'),
  'MLP 1, onnxruntime-node': onnx('mlp'),
  'MLP 32, ours': ours('mlp', 'await', { batch: 32 }),
  'MLP 32, raw C': raw('mlp', 'copies', { batch: 32 }),
  'MLP 32, Python': python('mlp', { batch: 32 }),
  'MLP 32, tfjs-node': tfjs('mlp', { batch: 32 }),
  'MLP 32, onnxruntime-node': onnx('mlp', { batch: 32 }),
  '64 MB, raw C without copies': raw('copy', 'no-copies'),
  '64 MB, Tensor.allocate': ours('copy', 'allocate'),
  '64 MB, raw C': raw('copy'),
  '64 MB, ours': ours('copy', 'await'),
  '64 MB, Python': python('copy'),
  '64 MB, tfjs-node': tfjs('copy'),
  '64 MB, onnxruntime-node': onnx('copy'),
  'strings, raw C': raw('strings'),
  'strings, ours': ours('strings', 'await'),
  'strings, tfjs-node': tfjs('strings'),
  'MobileNetV2, raw C': raw('mobilenet', 'copies', { seconds: 3 }),
  'MobileNetV2, ours': ours('mobilenet', 'await', { seconds: 3 }),
  'MobileNetV2, tuned': ours('mobilenet', 'await', { seconds: 3, tuned: '1e-2' }),
  'MobileNetV2, Python': python('mobilenet', { seconds: 3 }),
  'MobileNetV2, tfjs-node': tfjs('mobilenet', { seconds: 3 }),
  'MobileNetV2, onnxruntime-node': onnx('mobilenet', { seconds: 3 }),
  'ResNet50, raw C': raw('resnet', 'copies', { seconds: 4 }),
  'ResNet50, ours': ours('resnet', 'await', { seconds: 4 }),
  'ResNet50, freeze': ours('resnet', 'await', { seconds: 4, options: { freeze: true } }),
  'ResNet50, tuned': ours('resnet', 'await', { seconds: 4, tuned: '1e-2' }),
  'ResNet50, Python': python('resnet', { seconds: 4 }),
  'ResNet50, tfjs-node': tfjs('resnet', { seconds: 4 }),
  'ResNet50, onnxruntime-node': onnx('resnet', { seconds: 4 }),
  'ResNet50, with rules': ours('resnet', 'await', {
    seconds: 0.2,
    options: { placement: [{ type: 'MatMul', device: '/CPU:0' }] },
  }),
  'MLP, 64 callers, batcher': ours('mlp', 'batcher', { batch: 1 }),
  'MLP, 64 callers, unbatched': ours('mlp', 'callers', { batch: 1 }),
  import: { program: 'ours', model: 'tiny', mode: 'import' },
};

/**
 * The ratios: `of` over `to` (a sum, where there are several), in the figure of that name, at most `most` (or at least `least`).
 * What was measured in one process has its ratio as a figure.
 */
export const RATIOS = [
  { what: 'tiny, await run one by one', figure: 'ratio', of: 'tiny, await, paired', to: [], most: 1.3 },
  { what: 'the same against Python', of: 'tiny, await run', to: ['tiny, Python'], most: 0.25 },
  {
    what: 'tiny, await run, to the bare addon',
    figure: 'ratio',
    of: 'tiny, await, to the bare addon',
    to: [],
    most: 1.3,
  },
  { what: 'tiny, runSync', figure: 'ratio', of: 'tiny, runSync, paired', to: [], most: 1.3 },
  { what: 'the same against onnxruntime-node', of: 'tiny, runSync', to: ['tiny, onnxruntime-node'], most: 1 },
  { what: 'tiny, 16 in flight, time per run', of: 'tiny, 16 in flight', to: ['tiny, await run'], most: 0.45 },
  { what: 'MLP, batch 1', figure: 'ratio', of: 'MLP 1, paired', to: [], most: 1.05 },
  { what: 'MLP, batch 32', figure: 'ratio', of: 'MLP 32, paired', to: [], most: 1.03 },
  {
    what: '64 MB in and out, Tensor.allocate',
    of: '64 MB, Tensor.allocate',
    to: ['64 MB, raw C without copies'],
    most: 2,
  },
  { what: '1,000 strings in and out', of: 'strings, ours', to: ['strings, raw C'], most: 2.3 },
  { what: 'MobileNetV2 as saved', figure: 'ratio', of: 'MobileNetV2, paired', to: [], most: 1.03 },
  { what: 'ResNet50 as saved', figure: 'ratio', of: 'ResNet50, paired', to: [], most: 1.03 },
  { what: 'MobileNetV2, freeze', figure: 'ratio', of: 'MobileNetV2, freeze, paired', to: [], most: 0.72 },
  { what: 'ResNet50, freeze', figure: 'ratio', of: 'ResNet50, freeze, paired', to: [], most: 0.72 },
  {
    what: 'MobileNetV2 as tune leaves it (tolerance 1e-2)',
    of: 'MobileNetV2, tuned',
    to: ['MobileNetV2, raw C'],
    most: 0.55,
  },
  {
    what: 'ResNet50 as tune leaves it (tolerance 1e-2, meant for AMX)',
    of: 'ResNet50, tuned',
    to: ['ResNet50, raw C'],
    most: 0.4,
  },
  {
    what: 'ResNet50 as tune leaves it against onnxruntime-node (meant for AMX)',
    of: 'ResNet50, tuned',
    to: ['ResNet50, onnxruntime-node'],
    most: 1,
  },
  {
    what: 'peak memory of ResNet50 with freeze',
    figure: 'peakKb',
    of: 'ResNet50, freeze',
    to: ['ResNet50, ours'],
    most: 2.5,
  },
  {
    what: 'MLP, 64 callers of one row, batcher, rows a second',
    figure: 'perSecond',
    of: 'MLP, 64 callers, batcher',
    to: ['MLP, 64 callers, unbatched'],
    least: 4,
  },
  { what: 'load of ResNet50', figure: 'loadMs', of: 'ResNet50, ours', to: ['ResNet50, raw C'], most: 1.1 },
  {
    what: 'load of ResNet50 with rules',
    figure: 'loadMs',
    of: 'ResNet50, with rules',
    to: ['ResNet50, raw C'],
    most: 1.3,
  },
  { what: 'import, in milliseconds', figure: 'loadMs', of: 'import', to: [], most: 60 },
];

const PROGRAMS = ['raw C', 'ours', 'Python', 'tfjs-node', 'onnxruntime-node'];

/** The programs side by side on each model: which measurement is whose. */
export const PEERS = ['tiny', 'strings', 'MLP 1', 'MLP 32', '64 MB', 'MobileNetV2', 'ResNet50'].map(
  (model) => ({
    model,
    ...Object.fromEntries(
      PROGRAMS.map((program) => [program, `${model}, ${program}`]).filter(([, name]) => name in MEASUREMENTS),
    ),
    ...(model === 'tiny' ? { ours: 'tiny, await run' } : {}),
  }),
);
