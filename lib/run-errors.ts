/** What an error of a run says more than TensorFlow does, by what is known of the graph. */
import { explainMissingOp, explainMissingOpSync, type GraphReader } from './extensions/missing-op.js';
import { explainNoValue } from './repair/explain.js';

export interface GraphFacts {
  readGraph: GraphReader;
  /** Variables without a value, by name, and why. */
  noValue?: ReadonlyMap<string, string>;
}

const NONE: ReadonlyMap<string, string> = new Map();

/** A better error, or `error` itself. */
export async function explainRun(
  error: unknown,
  { readGraph, noValue = NONE }: GraphFacts,
): Promise<unknown> {
  return explainNoValue(await explainMissingOp(error, readGraph), noValue);
}

/** The same at once, without a look at the graph. */
export function explainRunSync(error: unknown, { noValue = NONE }: GraphFacts): unknown {
  return explainNoValue(explainMissingOpSync(error), noValue);
}
