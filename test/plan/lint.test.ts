/** What crosses in vain: found, and gone with the rules that are given. */
import { expect, it } from 'vitest';
import { type LoadOptions, type PlacementReport, SavedModel } from '../../lib/index.js';
import { basicPitch } from '../../scripts/models/basic-pitch.mjs';
import { fixture } from '../saved-model/models.js';
import { INPUTS } from '../trace/basic-pitch.js';

const FOUR: LoadOptions = { config: { deviceCount: { CPU: 4 } } };
const BODY = '__inference__wrapped_model_2691120';

async function explain(directory: string, inputs: object, options: LoadOptions): Promise<PlacementReport> {
  const model = await SavedModel.load(directory, { ...FOUR, ...options });
  try {
    return await model.explain(inputs as never);
  } finally {
    await model.close();
  }
}

const bytesOf = ({ transfers }: PlacementReport) => transfers.reduce((sum, { bytes }) => sum + bytes, 0);

/** The first finding, tried: bytes of a run before, as predicted, and after. */
async function tryFirst(directory: string, inputs: object, options: LoadOptions) {
  const before = await explain(directory, inputs, options);
  const [first] = before.lint;
  const after = await explain(directory, inputs, {
    ...options,
    placement: [...first!.rules, ...options.placement!],
  });
  const figures = { before: bytesOf(before), predicted: first!.predictedBytes, after: bytesOf(after) };
  console.log(`${first!.message} ${JSON.stringify(figures)}`);
  expect(first!.bytes).toBe(figures.before);
  expect(figures.predicted).toBeLessThan(figures.before);
  expect(Math.abs(figures.after - figures.predicted)).toBeLessThanOrEqual(0.01 * figures.before);
  if (figures.predicted > 0) expect(Math.abs(figures.after / figures.predicted - 1)).toBeLessThan(0.01);
  return { first: first!, before, after };
}

/** A sensible cut in two, and one op in the middle of a part sent elsewhere. */
const CUT = { scope: 'model_1/cq_t2010v2_1', function: BODY, device: '/CPU:1' };

it.each([
  ['fused', {}],
  ['exact', { exact: true }],
  ['frozen', { freeze: true }],
])('an op sent elsewhere on purpose is named first, and its rule brings it back (%s)', async (_, options) => {
  const name = 'model_1/harmonic_stacking/concat';
  const placement = [{ op: name, function: BODY, device: '/CPU:3' }, CUT];
  const { first, before, after } = await tryFirst(await basicPitch(), INPUTS, { ...options, placement });
  expect(first.rules.map(({ op }) => op)).toContain(name);
  expect(first.rules.every(({ device }) => device === '/CPU:0')).toBe(true);
  const crossing = before.transfers
    .filter(({ from, to }) => /CPU:3/.test(from + to))
    .map(({ tensor }) => tensor);
  expect(crossing.length).toBeGreaterThan(0);
  expect(
    after.transfers.filter(({ tensor, from, to }) => crossing.includes(tensor) && /CPU:3/.test(from + to)),
  ).toEqual([]);
});

it('weights that cross are brought to where they are used, and not the ops to them', async () => {
  const x = { x: [Array.from({ length: 16 }, (_, i) => i / 16)] };
  const { first, after } = await tryFirst(fixture('chain'), x, {
    placement: [{ type: 'MatMul', device: '/CPU:1' }],
  });
  expect(first.message).toMatch(
    /^6 weights .* cross \/CPU:0 -> \/CPU:1 in every run: put their 6 variables on \/CPU:1\.$/,
  );
  expect(first.rules.map(({ op, device }) => [op, device]).sort()).toEqual(
    ['bias_0', 'bias_1', 'bias_2', 'kernel_0', 'kernel_1', 'kernel_2'].map((name) => [name, '/CPU:1']),
  );
  expect(after.transfers.every(({ variable }) => variable === undefined)).toBe(true);
  expect(
    after.ops.filter(({ type, actual }) => type === 'MatMul' && actual !== null && !actual.endsWith('CPU:1')),
  ).toEqual([]);
});

it('where nothing crosses nothing is found', async () => {
  const report = await explain(fixture('tf2-functions'), { x: [[1, 2, 3, 4, 5, 6, 7, 8]] }, {});
  expect([report.transfers, report.lint]).toEqual([[], []]);
});

it.each(
  ['control-flow-v1', 'control-flow-v2', 'tf2-functions', 'keras-nested', 'chain'].flatMap((name) => [
    [name, false] as const,
    [name, true] as const,
  ]),
)('what is predicted for each finding of %s comes true, exact: %j', async (name, exact) => {
  const directory = fixture(name);
  const model = await SavedModel.load(directory, FOUR);
  const [signature] = Object.keys(model.signatures);
  const inputs = Object.fromEntries(
    Object.entries(model.signatures[signature!]!.inputs).map(([key, { dtype, shape }]) => [
      key,
      zeros(dtype, shape ?? []),
    ]),
  );
  await model.close();
  const placement = [{ type: /^(MatMul|Mul|AddV2|Add)$/, device: '/CPU:1' }];
  const run = async (rules: LoadOptions['placement']) => {
    const loaded = await SavedModel.load(directory, { ...FOUR, exact, placement: rules });
    try {
      return await loaded.explain(inputs as never, { signature });
    } finally {
      await loaded.close();
    }
  };
  const before = await run(placement);
  expect(before.lint).not.toEqual([]);
  const figures: string[] = [];
  for (const { rules, predictedBytes } of before.lint) {
    const after = bytesOf(await run([...rules, ...placement]));
    figures.push(`${bytesOf(before)} -> ${predictedBytes}, ${after}`);
    expect(Math.abs(after - predictedBytes), JSON.stringify(rules)).toBeLessThanOrEqual(
      0.05 * bytesOf(before),
    );
  }
  console.log(`${name}, exact ${exact}: ${figures.join('; ')}`);
});

function zeros(dtype: string, shape: readonly number[]): unknown {
  if (shape.length > 0)
    return Array.from({ length: Math.max(1, shape[0]!) }, () => zeros(dtype, shape.slice(1)));
  return dtype === 'bool' ? true : dtype === 'int64' ? 1n : dtype === 'string' ? '' : 1;
}
