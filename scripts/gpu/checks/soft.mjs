// Ops that have no kernel for a GPU, those of strings, asked onto it.
import { SavedModel } from 'tf-session';
import { expectation, failureOf, isText, same, short } from '../rig/seen.mjs';

export const title = 'an op without a GPU kernel: moved and reported, or an error beforehand';
export const needs = ['gpu'];

export async function see(context) {
  const { folder, inputs, outputs, signature } = await context.fixture('strings');
  const placement = [{ type: 'StringUpper', device: context.gpu }];
  const soft = await SavedModel.load(folder, {
    config: context.config({ allowSoftPlacement: true }),
    placement,
  });
  const { ops } = await soft.explain(inputs, { signature });
  const values = await soft.run(inputs, { signature });
  const exact = await failureOf(
    SavedModel.load(folder, { config: context.config(), placement, exact: true }),
  );
  const hard = await SavedModel.load(folder, { config: context.config(), placement });
  const upper = ({ ops }) =>
    ops
      .filter(({ type, actual }) => type === 'StringUpper' && actual !== null)
      .map(({ actual, reason }) => `${short(actual)}: ${reason}`);
  let without;
  const failure = await failureOf(
    hard.explain(inputs, { signature }).then((report) => {
      without = upper(report);
    }),
  );
  return {
    soft: upper({ ops }),
    isRight: same(values.text.data.map(String), outputs.text.data.map(String)),
    exact: { code: exact.code, message: exact.message },
    hard: without ?? [`${failure.code}: ${failure.message}`],
  };
}

const MOVED = 'CPU:0: soft placement: no GPU kernel';

export function judge({ soft, isRight, exact, hard }) {
  return [
    expectation('with soft placement the report says so', soft.join('; '), same(soft, [MOVED])),
    expectation('and the values are right', String(isRight), isRight === true),
    expectation(
      'exact is an error before the first run that names the op and the missing kernel',
      `${exact.code}: ${exact.message}`,
      exact.code === 'INVALID_ARGUMENT' && isText(exact.message, /StringUpper has no GPU kernel/),
    ),
    expectation(
      'without soft placement an error that names the op, or the same report; nothing in silence',
      hard.join('; '),
      same(hard, [MOVED]) || (hard.length === 1 && isText(hard[0], /^INVALID_ARGUMENT: .*StringUpper/s)),
    ),
  ];
}
