/** Options of `SavedModel.load`: what there is, and the checks of it. */
import { BATCHING_KEYS, type BatchingOptions, checkBatching } from './batcher/options.js';
import { CLUSTER_KEYS, type ClusterOptions, type ClusterPlan, checkCluster } from './cluster/options.js';
import { type ConfigProtoJson, encodeRunOptions, type RunOptionsJson } from './config.js';
import { checkExtensions, EXTENSION_KEYS, type ExtensionOptions } from './extensions/extensions.js';
import { checkFreeze, type FreezeOptions } from './freeze/options.js';
import { checkCount, checkKeys, checkStrings } from './options.js';
import {
  checkPlacement,
  checkRunDevice,
  PLACEMENT_KEYS,
  type PlacementOptions,
  type PlacementPlan,
} from './placed-graph.js';
import { checkExecution, EXECUTION_KEYS, type ExecutionOptions } from './session-options.js';

/** Options of `SavedModel.load`. */
export interface LoadOptions extends ExecutionOptions, PlacementOptions, ExtensionOptions, ClusterOptions {
  /** The MetaGraph whose tags are these, as a set. Default: `['serve']`. */
  tags?: readonly string[] | undefined;
  /**
   * TensorFlow's ConfigProto, in place before the model is loaded: devices, soft placement, GPU memory, threads, logs.
   * An object by protobuf's JSON mapping, every field, unknown keys an error; or the serialized message. What is left
   * out keeps TensorFlow's default.
   */
  config?: ConfigProtoJson | Uint8Array | undefined;
  /**
   * Devices to prepare for `run({ device })`: for each a session of its own, with its own copy of the variables.
   * Default: none; a device that is not listed is prepared by the first run that names it.
   */
  devices?: readonly string[] | undefined;
  /** RunOptions for the runs that restore and initialise the model. */
  runOptions?: RunOptionsJson | Uint8Array | undefined;
  /**
   * Sessions of the model, and of each device, that runs go to in turn; each has its own copy of the variables. More than
   * one can pay for throughput, where runs wait for each other inside of TensorFlow. Default: 1.
   */
  copies?: number | undefined;
  /**
   * Makes constants of the variables that no signature assigns, which lets TensorFlow fold and fuse what reads them: often
   * runs of half the time, for a longer load. What assigns them by op names later changes nothing; ops in the middle of
   * what is folded compute other values, or are gone. What `session.run` feeds must have the shape that the graph declares.
   * Default: false.
   */
  freeze?: boolean | FreezeOptions | undefined;
  /** What `model.batcher()` does where it is not told otherwise. */
  batcher?: BatchingOptions | undefined;
}

const LOAD_KEYS = [
  'tags',
  'config',
  'runOptions',
  'devices',
  'copies',
  'freeze',
  'batcher',
  ...EXECUTION_KEYS,
  ...PLACEMENT_KEYS,
  ...EXTENSION_KEYS,
  ...CLUSTER_KEYS,
];

/** The same, checked, with the defaults filled in. */
export interface CheckedLoad {
  tags: readonly string[];
  devices: readonly string[];
  plan: PlacementPlan;
  cluster: ClusterPlan;
  /** Serialized. */
  runOptions: Uint8Array | undefined;
  extensions: ReturnType<typeof checkExtensions>;
  copies: number;
  freeze: FreezeOptions | undefined;
  batching: BatchingOptions;
  execution: ExecutionOptions;
}

/** Throws INVALID_OPTION naming the key. Needs no libtensorflow. */
export function checkLoad(options: LoadOptions): CheckedLoad {
  checkKeys(options, LOAD_KEYS, 'The options of SavedModel.load');
  checkExecution(options);
  checkCount(options.copies, 'copies');
  const batching = { ...options.batcher };
  checkBatching(batching, 'batcher', BATCHING_KEYS);
  const tags = options.tags ?? ['serve'];
  checkStrings(tags, 'tags');
  const devices = options.devices ?? [];
  checkStrings(devices, 'devices');
  for (const device of devices) checkRunDevice(device);
  const { executor, concurrency, maxPending, outputs, strings } = options;
  const plan = checkPlacement(options);
  const cluster = checkCluster(options, plan);
  return {
    tags: [...tags],
    devices: [...devices],
    plan,
    cluster,
    runOptions: encodeRunOptions(options.runOptions),
    extensions: checkExtensions(options),
    copies: options.copies ?? 1,
    freeze: checkFreeze(options.freeze),
    batching,
    execution: { executor, concurrency, maxPending, outputs, strings },
  };
}
