/** What `exact` adds to the ConfigProto: no optimizer of TensorFlow's may move or fuse ops. */
import { type ConfigProtoJson, encodeConfig } from '../config.js';
import { once } from '../remember.js';

type Rewrites = NonNullable<NonNullable<ConfigProtoJson['graphOptions']>['rewriteOptions']>;

/** Each by itself: before TensorFlow 1.12 there is no switch for all. */
const EACH: Rewrites = {
  disableModelPruning: true,
  memoryOptimization: 'NO_MEM_OPT',
  arithmeticOptimization: 'OFF',
  constantFolding: 'OFF',
  debugStripper: 'OFF',
  dependencyOptimization: 'OFF',
  functionOptimization: 'OFF',
  layoutOptimizer: 'OFF',
  loopOptimization: 'OFF',
  remapping: 'OFF',
  shapeOptimization: 'OFF',
};

/** Grappler fuses ops and so moves them; off in the session, and in each call of a function, which has its own. */
export const exactConfig = once(() => encode({ ...EACH, disableMetaOptimizer: true }));

/** Soft placement off, too, which is what is written where a message leaves it out: field 7, 0. */
export const exactCalls = once(() => Buffer.concat([exactConfig(), Uint8Array.of(7 << 3, 0)]));

/**
 * The same on a cluster, but that functions are put in the place of their calls: what of a function runs on another task than its
 * call, TensorFlow records nothing of.
 */
export const exactOnCluster = once(() =>
  encode({
    ...EACH,
    functionOptimization: 'ON',
    commonSubgraphElimination: 'OFF',
    implementationSelector: 'OFF',
    pinToHostOptimization: 'OFF',
    scopedAllocatorOptimization: 'OFF',
    usePluginOptimizers: 'OFF',
  }),
);

function encode(rewriteOptions: Rewrites): Uint8Array {
  return encodeConfig({ graphOptions: { rewriteOptions } })!;
}
