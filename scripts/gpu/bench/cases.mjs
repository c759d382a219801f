// What is measured, and in which order: what counts most comes first, since the time may be over before the last.

export const MODELS = {
  mlp: 'MLP, 3 x 1024',
  transformer: 'Transformer block',
  mobilenet: 'MobileNetV2',
  resnet: 'ResNet50',
};

export const WHO = { ours: 'ours', raw: 'raw C', python: 'Python' };

/** `precision` is that of matrix products, whose peak a share is of. */
export const VARIANTS = {
  saved: { title: 'as saved', precision: 'float32' },
  freeze: { title: 'freeze', precision: 'float32', freeze: true },
  mixed: {
    title: 'freeze, float16',
    titleOnCpu: 'freeze, bfloat16',
    precision: 'float16',
    freeze: true,
    onGpu: { graphOptions: { rewriteOptions: { autoMixedPrecision: 'ON' } } },
    onCpu: { graphOptions: { rewriteOptions: { autoMixedPrecisionOnednnBfloat16: 'ON' } } },
  },
  xla: {
    title: 'XLA',
    precision: 'float32',
    onGpu: { graphOptions: { optimizerOptions: { globalJitLevel: 'ON_2' } } },
  },
};

export function variantTitle(variant, device) {
  const { title, titleOnCpu = title } = VARIANTS[variant];
  return device === 'CPU' ? titleOnCpu : title;
}

/**
 * The ConfigProto of all three programs. On the GPU's side TensorFlow puts everything on the first GPU by itself; in a rehearsal
 * a second CPU stands for it, which has to be asked for in each run: of C and Python nothing can be asked.
 */
export function configOf(variant, device, rehearse) {
  const { onGpu, onCpu } = VARIANTS[variant];
  if (device === 'CPU') return { deviceCount: { GPU: 0 }, ...onCpu };
  // Its kernels are a CPU's: float16 has none that are fast.
  if (rehearse) return { deviceCount: { CPU: 2, GPU: 0 }, ...(onCpu ?? onGpu) };
  return { gpuOptions: { allowGrowth: true }, ...onGpu };
}

/** @typedef {{ name: string, who: string, model: string, device: 'CPU' | 'GPU', variant: string, batches: number[] }} Case */

const ours = (device, variant, batches) => ({ who: 'ours', device, variant, batches });
const raw = (device, batches) => ({ who: 'raw', device, variant: 'saved', batches });
const python = (device, batches) => ({ who: 'python', device, variant: 'saved', batches });

/** Groups, one after the other, of what takes turns in so many rounds, with each model. */
const ALL = [1, 8, 32, 128];
const FULL = [
  { rounds: 2, of: [ours('GPU', 'saved', ALL), raw('GPU', [1, 32]), python('GPU', [1, 32])] },
  { rounds: 1, of: [ours('CPU', 'saved', ALL), ours('GPU', 'freeze', ALL), ours('GPU', 'mixed', ALL)] },
  { rounds: 1, of: [ours('GPU', 'xla', [1, 32]), ours('CPU', 'freeze', ALL)] },
  { rounds: 1, of: [raw('CPU', [1, 32])] },
  // While there is time.
  { rounds: 1, of: [ours('GPU', 'saved', [1, 32]), raw('GPU', [1, 32])] },
  { rounds: 1, of: [ours('CPU', 'mixed', [1, 32]), python('CPU', [1, 32])] },
];
/** Of each process most is the opening of the card: both devices come before who else is measured on one. */
const QUICK = [
  { rounds: 1, of: [ours('GPU', 'saved', [1, 32]), ours('CPU', 'saved', [1, 32])] },
  { rounds: 1, of: [raw('GPU', [1, 32])] },
  { rounds: 1, of: [ours('GPU', 'mixed', [32])] },
  { rounds: 1, of: [python('GPU', [1, 32])] },
  { rounds: 1, of: [ours('GPU', 'xla', [1])] },
  { rounds: 1, of: [ours('GPU', 'saved', [1, 32]), raw('GPU', [1, 32])] },
];
const REHEARSED = [
  { rounds: 1, of: [ours('GPU', 'saved', [1, 8]), raw('GPU', [1, 8]), python('GPU', [1, 8])] },
  { rounds: 1, of: [ours('CPU', 'saved', [1, 8]), ours('GPU', 'freeze', [1, 8])] },
  { rounds: 1, of: [ours('GPU', 'mixed', [1]), ours('GPU', 'xla', [1])] },
  { rounds: 1, of: [ours('GPU', 'saved', [1]), raw('GPU', [1])] },
];

/**
 * @param {{ quick?: boolean, rehearse?: boolean, only?: string[], most?: number }} options `only`: those whose name holds one of
 *   the texts; `most`: seconds that there are.
 * @returns {{ groups: { rounds: number, cases: Case[] }[], seconds: number, budget: number, limitMs: number, matrix: number }}
 *   `seconds` of each measurement, `budget` for all of them; a run that would take longer than `limitMs` is left out; `matrix`
 *   is the size of the large one.
 */
export function planOf({ quick = false, rehearse = false, only = [], most = Infinity }) {
  const isShort = quick && rehearse;
  const models = isShort ? ['mlp', 'transformer'] : Object.keys(MODELS);
  const groups = isShort ? REHEARSED : quick ? QUICK : FULL;
  const isWanted = ({ name }) => only.length === 0 || only.some((text) => name.includes(text));
  return {
    groups: groups.map(({ rounds, of }) => ({
      rounds,
      cases: models
        .flatMap((model) => of.map((each) => ({ name: nameOf({ ...each, model }), model, ...each })))
        .filter(isWanted),
    })),
    seconds: isShort ? 0.25 : quick ? 0.4 : 0.5,
    budget: Math.min(most, isShort ? 75 : quick ? 150 : 490),
    limitMs: quick ? 2000 : 8000,
    matrix: rehearse ? 512 : 8192,
  };
}

export function nameOf({ who, model, device, variant }) {
  return `${MODELS[model]}, ${device}, ${variantTitle(variant, device)}, ${WHO[who]}`;
}
