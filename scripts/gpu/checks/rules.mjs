// Some ops on the GPU by rule, all others on the CPU; plain and exact.
import { SavedModel } from 'tf-session';
import { apart, expectation, figure, isText, places, plain, same, short, within } from '../rig/seen.mjs';

export const title = 'rules put some ops on the GPU and the rest on the CPU';
export const needs = [];

export async function see(context) {
  const { folder, inputs, outputs } = await context.fixture('tf2-functions');
  const placement = [
    { type: 'MatMul', device: context.gpu },
    { op: '**', device: '/CPU:0' },
  ];
  const seen = { gpu: short(context.gpu) };
  for (const [name, exact] of [
    ['plain', false],
    ['exact', true],
  ]) {
    const model = await SavedModel.load(folder, { config: context.config(), placement, exact });
    const report = await model.explain(inputs);
    const others = report.ops.filter(({ type, actual }) => type !== 'MatMul' && actual !== null);
    const isStray = ({ actual }) => short(actual) !== 'CPU:0';
    seen[name] = {
      products: places(report, ['MatMul']),
      others: others.length,
      strays: others.filter(isStray).map(({ type, reason }) => `${type} ${reason}`),
      isExact: report.exact,
      apart: plain(apart(outputs, await model.run(inputs))),
    };
  }
  return seen;
}

export function judge({ gpu, plain, exact }) {
  const on = ({ products, others }) => same(products, [`MatMul ${gpu}`]) && others > 10;
  const tell = ({ products, others, strays }) =>
    `${products.join(', ')}; ${others} others, elsewhere than CPU:0: ${strays.join(', ') || 'none'}`;
  return [
    expectation(
      'plain: MatMul there, all else on the CPU, but for what is fused with it, which the report says',
      tell(plain),
      on(plain) && plain.strays.every((stray) => isText(stray, / fused into /)),
    ),
    expectation(
      'exact: MatMul there, all else on the CPU',
      tell(exact),
      on(exact) && exact.strays.length === 0,
    ),
    expectation(
      'the reports say whether that was exact',
      `plain: ${plain.isExact}, exact: ${exact.isExact}`,
      exact.isExact === true && plain.isExact === (plain.strays.length === 0),
    ),
    expectation(
      'the values are right, to 1e-3',
      `${figure(plain.apart)}, ${figure(exact.apart)}`,
      within(plain.apart, 0, 1e-3) && within(exact.apart, 0, 1e-3),
    ),
  ];
}
