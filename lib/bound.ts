/** Names of tensors and ops, looked up in a graph once for many runs. */
import type { Link } from './cluster/link.js';
import { type DTypeInfo, dtypeByNumber, dtypeName } from './dtype.js';
import { didYouMean, TensorFlowError } from './errors.js';
import type { Executor } from './executor.js';
import type { InputSpec } from './inputs.js';
import type { NativeCall, NativeSession } from './native.js';
import type { GraphFacts } from './run-errors.js';

/** What the runs of a session do where they do not say otherwise. */
export interface RunDefaults {
  /** Outputs in ordinary ArrayBuffers. */
  copy: boolean;
  strings: 'bytes' | undefined;
  executor: Executor;
  /** Throws where too many runs wait; left out where any number may. */
  checkRoom: (() => void) | undefined;
}

/** What a run needs to know of its names. */
export interface Bound {
  call: NativeCall;
  defaults: RunDefaults;
  /** What each feed must be, as far as the graph says. */
  specs: readonly InputSpec[];
  /** The types of what the call gives back. */
  types: readonly DTypeInfo[];
  /**
   * Where each fetch comes from, where some are fed: TensorFlow refuses to give back what it was fed, Python's
   * Session answers with the feed. A number of 0 or more is an output of the call, ~n the nth input.
   */
  order: readonly number[] | undefined;
  /** False where every fetch is fed, so that TensorFlow has nothing to do. */
  runs: boolean;
  /** The shape of what `runSync` gave back last, where that is one output. */
  loneShape: readonly number[] | undefined;
  /** The graph, for errors that name who in it is at fault. */
  facts: GraphFacts;
  /** Of a session on a cluster. */
  link: Link | undefined;
}

/**
 * Looks names up: feeds and fetches as `op:index` or `op`, targets as op names.
 *
 * @throws TensorFlowError INVALID_ARGUMENT with the near names; UNIMPLEMENTED for tensors that are handles
 */
export function bindNames(
  session: NativeSession,
  feeds: readonly string[],
  fetches: readonly string[],
  targets: readonly string[],
  defaults: RunDefaults,
  facts: GraphFacts,
  link?: Link,
): Bound {
  const fed = feeds.map(fullName);
  const feedOf = fetches.map((name) => fed.indexOf(fullName(name)));
  const computed = fetches.filter((_, i) => feedOf[i] === -1);
  const call = lookUp(session, feeds, computed, targets);
  let next = 0;
  const shapes = call.feedShapes;
  const order = feedOf.map((feed) => (feed === -1 ? next++ : ~feed));
  return {
    call,
    defaults,
    types: call.fetchTypes.map(dtypeByNumber),
    specs: call.feedTypes.map((type, i) => ({ dtype: dtypeName(type), shape: shapes[i] ?? null })),
    order: computed.length < fetches.length ? order : undefined,
    runs: computed.length + targets.length > 0,
    loneShape: undefined,
    facts,
    link,
  };
}

function lookUp(
  session: NativeSession,
  feeds: readonly string[],
  fetches: readonly string[],
  targets: readonly string[],
): NativeCall {
  try {
    return session.bind(feeds, fetches, targets);
  } catch (error) {
    if (!(error instanceof TensorFlowError) || error.code !== 'INVALID_ARGUMENT') throw error;
    const ops = session.opNames();
    const known = new Set(ops);
    const wrong = [...feeds, ...fetches, ...targets].map(opName).find((name) => !known.has(name));
    if (wrong === undefined) throw error;
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `The graph has no op "${wrong}".${didYouMean(wrong, ops)}`,
      {
        cause: error,
        op: wrong,
      },
    );
  }
}

/** `x` and `x:0` are one tensor. */
export function fullName(tensor: string): string {
  return tensor.includes(':') ? tensor : `${tensor}:0`;
}

/** `a/b:0` -> `a/b`. */
export function opName(tensor: string): string {
  const colon = tensor.lastIndexOf(':');
  return colon === -1 ? tensor : tensor.slice(0, colon);
}
