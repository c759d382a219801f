/** What multiplies and adds by channel goes into the filter before it. */
import { describe, expect, it } from 'vitest';
import { SavedModel, Tensor } from '../../lib/index.js';
import { attr, both, type Node, save, variable } from '../helpers/made-models.js';

const CHANNELS = 4;

/** x -> convolution -> (BiasAdd) -> batch norm -> Relu6 -> y. */
function network(conv: string, options: { bias?: boolean; device?: string; shared?: boolean } = {}): Node[] {
  const filter = conv === 'Conv2D' ? [3, 3, 2, CHANNELS] : [3, 3, 2, 2];
  const data = { data_format: attr.text('NHWC') };
  const before = options.bias ? 'bias_add' : 'conv';
  return [
    { name: 'x', op: 'Placeholder', attr: { dtype: attr.type, shape: attr.shape(-1, 8, 8, 2) } },
    ...variable('filter', ...filter),
    ...['scale', 'offset', 'mean', 'variance', 'bias'].flatMap((name) => variable(name, CHANNELS)),
    {
      name: 'conv',
      op: conv,
      input: ['x', 'filter/read'],
      attr: { T: attr.type, strides: attr.ints(1, 1, 1, 1), padding: attr.text('SAME'), ...data },
    },
    ...(options.bias
      ? [{ name: 'bias_add', op: 'BiasAdd', input: ['conv', 'bias/read'], attr: { T: attr.type, ...data } }]
      : []),
    {
      name: 'norm',
      op: 'FusedBatchNormV3',
      input: [before, 'scale/read', 'offset/read', 'mean/read', 'variance/read'],
      device: options.device ?? '',
      attr: { T: attr.type, U: attr.type, epsilon: attr.float(0.001), is_training: attr.no, ...data },
    },
    { name: 'relu', op: 'Relu6', input: ['norm'], attr: { T: attr.type } },
    ...(options.shared
      ? [{ name: 'y', op: 'AddV2', input: ['relu', 'conv'], attr: { T: attr.type } }]
      : [{ name: 'y', op: 'Identity', input: ['relu'], attr: { T: attr.type } }]),
  ];
}

const x = Tensor.from(
  Float32Array.from({ length: 2 * 8 * 8 * 2 }, (_, i) => (i % 17) / 8 - 1),
  [2, 8, 8, 2],
);
const saved = (nodes: Node[]) => save(nodes, [-1, 8, 8, 2], [-1, 8, 8, CHANNELS]);

describe.each(['Conv2D', 'DepthwiseConv2dNative'])('%s', (conv) => {
  it.each([false, true])('takes in the normalization after it, with a bias between: %s', async (bias) => {
    const { difference, types } = await both(saved(network(conv, { bias })), x);
    expect(difference).toBeLessThan(1e-5);
    expect(types.some((type) => type.includes(conv.slice(0, 6)))).toBe(true);
    expect(types.filter((type) => type.includes('BatchNorm'))).toEqual([]);
    expect(types).not.toContain('ReadVariableOp');
  });

  it('keeps apart what stands on another device', async () => {
    const { difference, types } = await both(saved(network(conv, { device: '/device:CPU:1' })), x);
    expect(difference).toBeLessThan(1e-5);
    expect(types.some((type) => type.includes('BatchNorm'))).toBe(true);
  });

  it('keeps its own output where others take it', async () => {
    const { difference, types } = await both(saved(network(conv, { shared: true })), x);
    expect(difference).toBeLessThan(1e-5);
    expect(types.some((type) => type.includes('BatchNorm'))).toBe(true);
  });
});

/** One op on what comes before it and a constant of this shape. */
type Step = [op: string, shape: number[], isSecond?: boolean];

/** x -> convolution -> each step -> y. */
function chain(conv: string, steps: Step[]): Node[] {
  const type = { T: attr.type };
  const matrix = conv === 'MatMul';
  const filter = matrix ? [2, CHANNELS] : conv === 'Conv2D' ? [3, 3, 2, CHANNELS] : [3, 3, 2, 2];
  const window = { strides: attr.ints(1, 1, 1, 1), padding: attr.text('SAME') };
  let last = 'conv';
  return [
    {
      name: 'x',
      op: 'Placeholder',
      attr: { dtype: attr.type, shape: attr.shape(-1, ...(matrix ? [2] : [8, 8, 2])) },
    },
    ...variable('filter', ...filter),
    { name: 'conv', op: conv, input: ['x', 'filter/read'], attr: { ...type, ...(matrix ? {} : window) } },
    ...steps.flatMap(([op, shape, isSecond], i) => {
      const by = `by_${i}`;
      const input = isSecond ? [`${by}/read`, last] : [last, `${by}/read`];
      last = `step_${i}`;
      return [...variable(by, ...shape), { name: last, op, input, attr: type }];
    }),
    { name: 'y', op: 'Relu', input: [last], attr: type },
  ];
}

const rows = Tensor.from(Float32Array.of(1, -2, 3, 0.5), [2, 2]);

async function chained(conv: string, steps: Step[]) {
  return conv === 'MatMul'
    ? both(save(chain(conv, steps), [-1, 2], [-1, CHANNELS]), rows)
    : both(saved(chain(conv, steps)), x);
}

describe.each(['Conv2D', 'DepthwiseConv2dNative', 'MatMul'])('after %s', (conv) => {
  const wide = conv === 'MatMul' ? [1, CHANNELS] : [1, 1, 1, CHANNELS];
  it.each<[string, Step[]]>([
    [
      'a factor and an addend',
      [
        ['Mul', [CHANNELS]],
        ['AddV2', [CHANNELS]],
      ],
    ],
    [
      'other orders and shapes',
      [
        ['Add', wide, true],
        ['Mul', [], true],
        ['Sub', [CHANNELS]],
        ['Mul', wide],
      ],
    ],
    [
      'what is taken from an addend',
      [
        ['Sub', [CHANNELS], true],
        ['RealDiv', [CHANNELS]],
      ],
    ],
    [
      'a bias, a factor, a bias',
      [
        ['BiasAdd', [CHANNELS]],
        ['Mul', [1]],
        ['BiasAdd', [CHANNELS]],
      ],
    ],
  ])('%s become a bias', async (_, steps) => {
    const { difference, types } = await chained(conv, steps);
    expect(difference).toBeLessThan(1e-5);
    // A BiasAdd is left, or a convolution that has one in it.
    expect(types.filter((type) => /^(AddV2|Add|Sub|Mul|RealDiv)$/.test(type))).toEqual([]);
    expect(types.filter((type) => /Bias/.test(type))).toHaveLength(1);
  });

  it('what is divided by it stays', async () => {
    const { difference, types } = await chained(conv, [['RealDiv', [CHANNELS], true]]);
    expect(difference).toBeLessThan(1e-5);
    expect(types).toContain('RealDiv');
  });
});

describe('what is no number for each channel', () => {
  it.each<[string, number[]]>([
    ['one for each place', [8, 8, 1]],
    ['one for each row of the batch', [2, 1, 1, 1]],
    ['a rank more', [1, 1, 1, 1, CHANNELS]],
    ['channels of another order', [CHANNELS, 1, 1]],
  ])('%s stays', async (_, shape) => {
    const { types, difference } = await both(
      save(
        // Of other shapes there is no sum: 8 channels come where 4 places or rows would not do.
        chain('Conv2D', [['Mul', shape[0] === CHANNELS ? [8, 1, 1] : shape]]),
        [-1, 8, 8, 2],
        shape.length > 4 ? [1, -1, 8, 8, CHANNELS] : [-1, 8, 8, CHANNELS],
      ),
      x,
    );
    expect(difference).toBeLessThan(1e-6);
    expect(types).toContain('Mul');
  });
});

it('computes what Keras 3 makes of a normalization', async () => {
  const type = { T: attr.type };
  const nodes: Node[] = [
    { name: 'x', op: 'Placeholder', attr: { dtype: attr.type, shape: attr.shape(-1, 8, 8, 2) } },
    ...variable('filter', 3, 3, 2, 2),
    ...['gamma', 'beta', 'mean', 'variance'].flatMap((name) => variable(name, CHANNELS)),
    {
      name: 'conv',
      op: 'DepthwiseConv2dNative',
      input: ['x', 'filter/read'],
      attr: { ...type, strides: attr.ints(1, 1, 1, 1), padding: attr.text('SAME') },
    },
    { name: 'epsilon', op: 'Const', attr: { dtype: attr.type, value: attr.tensor([], [0.001]) } },
    { name: 'sum', op: 'AddV2', input: ['variance/read', 'epsilon'], attr: type },
    { name: 'rsqrt', op: 'Rsqrt', input: ['sum'], attr: type },
    { name: 'factor', op: 'Mul', input: ['rsqrt', 'gamma/read'], attr: type },
    { name: 'scaled', op: 'Mul', input: ['conv', 'factor'], attr: type },
    { name: 'moved', op: 'Mul', input: ['mean/read', 'factor'], attr: type },
    { name: 'rest', op: 'Sub', input: ['beta/read', 'moved'], attr: type },
    { name: 'normal', op: 'AddV2', input: ['scaled', 'rest'], attr: type },
    { name: 'y', op: 'Relu6', input: ['normal'], attr: type },
  ];
  const { difference, types } = await both(saved(nodes), x);
  expect(difference).toBeLessThan(1e-5);
  expect(types.filter((type) => /^(Mul|AddV2|Sub|Rsqrt)$/.test(type))).toEqual([]);
  expect(types).toContain('BiasAdd');
});

describe('a residual block', () => {
  /** x -> convolution -> BiasAdd -> + x -> Relu -> y. */
  const block: Node[] = [
    { name: 'x', op: 'Placeholder', attr: { dtype: attr.type, shape: attr.shape(-1, 8, 8, 2) } },
    ...variable('filter', 3, 3, 2, 2),
    ...variable('bias', 2),
    {
      name: 'conv',
      op: 'Conv2D',
      input: ['x', 'filter/read'],
      attr: { T: attr.type, strides: attr.ints(1, 1, 1, 1), padding: attr.text('SAME') },
    },
    { name: 'bias_add', op: 'BiasAdd', input: ['conv', 'bias/read'], attr: { T: attr.type } },
    { name: 'sum', op: 'AddV2', input: ['bias_add', 'x'], attr: { T: attr.type } },
    { name: 'relu', op: 'Relu', input: ['sum'], attr: { T: attr.type } },
    { name: 'y', op: 'Identity', input: ['relu'], attr: { T: attr.type } },
  ];
  const directory = () => save(block, [-1, 8, 8, 2], [-1, 8, 8, 2]);

  it.skipIf(process.arch !== 'x64')('is one op: its sum, too, goes into the convolution', async () => {
    const { difference, types } = await both(directory(), x, {});
    expect(difference).toBeLessThan(1e-5);
    expect(types).not.toContain('AddV2');
    expect(types).not.toContain('Relu');
  });

  it('takes no input by its name of another shape than the graph declares', async () => {
    await using model = await SavedModel.load(directory(), { freeze: true });
    const wrong = Tensor.from(new Float32Array(2 * 4 * 4 * 2), [2, 4, 4, 2]);
    await expect(model.session.run(['y:0'], { 'x:0': wrong })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('takes float32 [-1, 8, 8, 2]'),
    });
    await expect(model.session.run(['y:0'], { 'x:0': x })).resolves.toHaveLength(1);
  });
});
