/** Options of `SavedModel.load`: what there is, and the checks of it. */
import { BATCHING_KEYS, type BatchingOptions, checkBatching } from './batcher/options.js';
import { CLUSTER_KEYS, type ClusterOptions, type ClusterPlan, checkCluster } from './cluster/options.js';
import { type ConfigProtoJson, encodeRunOptions, type RunOptionsJson } from './config.js';
import { checkExtensions, EXTENSION_KEYS, type ExtensionOptions } from './extensions/extensions.js';
import { checkFreeze, type FreezeOptions } from './freeze/options.js';
import { checkGuard, GUARD_KEYS, type GuardOptions, type GuardPlan } from './guard/options.js';
import { checkCount, checkOneOf, readOptions, readStrings } from './options.js';
import {
  checkPlacement,
  checkRunDevice,
  PLACEMENT_KEYS,
  type PlacementOptions,
  type PlacementPlan,
} from './placed-graph.js';
import { checkVersion } from './saved-model/versions.js';
import { checkExecution, EXECUTION_KEYS, type ExecutionOptions } from './session-options.js';

/** Options of `SavedModel.load`. */
export interface LoadOptions
  extends ExecutionOptions,
    PlacementOptions,
    ExtensionOptions,
    ClusterOptions,
    GuardOptions {
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
  /** Whether files of the model may be links that lead out of its folder, as in caches. Default: false, they are refused. */
  followLinks?: boolean | undefined;
  /**
   * Restores variables that the model's own restore op leaves out, as that of a Keras 3 model inside of a `tf.Module` does, by
   * way of the model's object graph; `model.repaired` lists them. Default: true.
   */
  repair?: boolean | undefined;
  /** Of a folder with versions in it (`1/`, `2/`, …), the one to load. Default: the highest number. */
  version?: number | string | undefined;
  /**
   * Runs what the model's folder has in `assets.extra/tf_serving_warmup_requests`, as TensorFlow Serving does, on each of its
   * sessions before the model is there. Default: true.
   */
  warmUp?: boolean | undefined;
}

const LOAD_KEYS = [
  'tags',
  'config',
  'runOptions',
  'devices',
  'copies',
  'freeze',
  'batcher',
  'followLinks',
  'repair',
  'version',
  'warmUp',
  ...EXECUTION_KEYS,
  ...PLACEMENT_KEYS,
  ...EXTENSION_KEYS,
  ...CLUSTER_KEYS,
  ...GUARD_KEYS,
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
  guard: GuardPlan;
  repairs: boolean;
  execution: ExecutionOptions;
  version: bigint | undefined;
  warmUp: boolean;
}

/** Throws INVALID_OPTION naming the key. Needs no libtensorflow. */
export function checkLoad(given: LoadOptions): CheckedLoad {
  const options = readOptions(given, LOAD_KEYS, 'The options of SavedModel.load');
  checkExecution(options);
  checkCount(options.copies, 'copies');
  checkOneOf(options.repair, [true, false], 'repair');
  const batching = readOptions(options.batcher ?? {}, BATCHING_KEYS, 'batcher');
  checkBatching(batching, 'batcher', BATCHING_KEYS);
  const tags = readStrings(options.tags ?? ['serve'], 'tags');
  const devices = readStrings(options.devices ?? [], 'devices');
  for (const device of devices) checkRunDevice(device);
  checkOneOf(options.warmUp, [true, false], 'warmUp');
  const { executor, concurrency, maxPending, outputs, strings } = options;
  const plan = checkPlacement(options);
  const cluster = checkCluster(options, plan);
  return {
    tags,
    devices,
    plan,
    cluster,
    runOptions: encodeRunOptions(options.runOptions),
    extensions: checkExtensions(options),
    copies: options.copies ?? 1,
    freeze: checkFreeze(options.freeze),
    batching,
    guard: checkGuard(options),
    repairs: options.repair !== false,
    execution: { executor, concurrency, maxPending, outputs, strings },
    version: checkVersion(options.version),
    warmUp: options.warmUp ?? true,
  };
}
