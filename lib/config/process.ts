/**
 * What of a ConfigProto counts for the whole process. TensorFlow makes its pools of threads, and what belongs to a GPU, with
 * the first session that needs them, and keeps them until the process ends; what a later session asks for is ignored, refused,
 * or undefined. Read from TensorFlow's `local_device.cc`, `direct_session.cc`, `process_util.cc` and `gpu_device.cc`; for CPUs it was
 * measured, too. Pure: facts in, conflicts out.
 */
import type { ConfigProto, GPUOptions } from '../proto/tensorflow/core/protobuf/config_pb.js';
import { type DeviceNumber, deviceOrder, devicesOf, optionsField, virtualDevices } from './device-order.js';

/** A session that may have settled something. */
export interface Settlement {
  /** Whose session it was: the path of a model, say. */
  readonly who: string;
  readonly config: ConfigProto;
  /** Types of its devices; empty where it could not be made. */
  readonly deviceTypes: readonly string[];
  /** CPUs that its thread might run on, which is TensorFlow's default for threads. */
  readonly cpus: number;
}

/** A field that is not what was asked for. */
export interface Conflict {
  /** `gpuOptions.allowGrowth` */
  readonly field: string;
  readonly asked: string;
  readonly inForce: string;
  readonly since: string;
  /** TensorFlow would refuse such a session, or do what nobody knows; else it ignores the value. */
  readonly isRefused: boolean;
}

/** Environment variables that change which fields count. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a session gets of a field, and what it asks for; undefined where it asks for nothing. */
interface Field<T> {
  readonly name: string;
  /** What a session that is the first with these options settles; undefined where it settles nothing. */
  settles(settlement: Settlement, environment: Environment): T | undefined;
  asks(config: ConfigProto, environment: Environment): T | undefined;
}

const ownInterOpPools = (config: ConfigProto): boolean =>
  config.usePerSessionThreads || config.sessionInterOpThreadPool.length > 0;

const CPU_FIELDS: readonly Field<number | boolean>[] = [
  {
    name: 'intraOpParallelismThreads',
    // A session that cannot be made has made its CPU devices by then.
    settles: ({ config, cpus }, environment) =>
      config.intraOpParallelismThreads || fromEnvironment(environment, 'TF_NUM_INTRAOP_THREADS') || cpus,
    asks: (config, environment) =>
      isTrue(environment.TF_OVERRIDE_GLOBAL_THREADPOOL)
        ? undefined
        : config.intraOpParallelismThreads || undefined,
  },
  {
    name: 'interOpParallelismThreads',
    settles: ({ config, cpus, deviceTypes }, environment) => {
      if (deviceTypes.length === 0 || ownInterOpPools(config)) return undefined;
      const threads = config.interOpParallelismThreads;
      // Such a session computes in the threads of its callers, and leaves a pool of one thread to others.
      if (threads < 0) return 1;
      return threads || fromEnvironment(environment, 'TF_NUM_INTEROP_THREADS') || cpus;
    },
    asks: (config) =>
      ownInterOpPools(config) || config.interOpParallelismThreads <= 0
        ? undefined
        : config.interOpParallelismThreads,
  },
  {
    name: 'experimental.disableThreadSpinning',
    settles: ({ config }) => config.experimental?.disableThreadSpinning ?? false,
    asks: (config) => config.experimental?.disableThreadSpinning || undefined,
  },
];

/** Fields of GPUOptions that belong to what a process has once of each GPU: memory, streams, events. */
const GPU_FIELDS = [
  'perProcessGpuMemoryFraction',
  'allowGrowth',
  'allocatorType',
  'deferredDeletionBytes',
  'pollingActiveDelayUsecs',
  'pollingInactiveDelayMsecs',
] as const satisfies readonly (keyof GPUOptions)[];

const GPU_EXPERIMENTAL_FIELDS = [
  'useUnifiedMemory',
  'numDevToDevCopyStreams',
  'timestampedAllocator',
  'internalFragmentationFraction',
  'useCudaMallocAsync',
  'disallowRetryOnAllocationFailure',
  'gpuHostMemLimitInMb',
  'gpuHostMemDisallowGrowth',
  'gpuSystemMemorySizeInMb',
] as const satisfies readonly (keyof NonNullable<GPUOptions['experimental']>)[];

/** Where what `config` asks for is not what the process has, field by field. */
export function findConflicts(
  settled: readonly Settlement[],
  config: ConfigProto,
  environment: Environment,
): Conflict[] {
  return [
    ...cpuConflicts(settled, config, environment),
    ...poolConflicts(settled, config),
    ...acceleratorTypes(settled).flatMap((type) => deviceConflicts(type, settled, config, environment)),
  ];
}

/** Whether a session with `config` may settle what is still open. */
export function settlesMore(
  settled: readonly Settlement[],
  config: ConfigProto,
  environment: Environment,
): boolean {
  if (settled.length === 0) return true;
  const interOp = CPU_FIELDS[1]!;
  if (!ownInterOpPools(config) && firstOf(settled, interOp, environment) === undefined) return true;
  if (namedPools(config).some(([name]) => poolNamed(settled, name) === undefined)) return true;
  // It may reach devices that no session has had yet.
  const reach = reachOf(config);
  return settled.every((each) => reachOf(each.config) !== reach);
}

function cpuConflicts(
  settled: readonly Settlement[],
  config: ConfigProto,
  environment: Environment,
): Conflict[] {
  return CPU_FIELDS.flatMap((field) => {
    const asked = field.asks(config, environment);
    const first = firstOf(settled, field, environment);
    if (asked === undefined || first === undefined || first.value === asked) return [];
    return [conflict(field.name, asked, first.value, first.settlement)];
  });
}

function firstOf<T>(
  settled: readonly Settlement[],
  field: Field<T>,
  environment: Environment,
): { value: T; settlement: Settlement } | undefined {
  for (const settlement of settled) {
    const value = field.settles(settlement, environment);
    if (value !== undefined) return { value, settlement };
  }
  return undefined;
}

/** Pools that sessions share by name. TensorFlow compares the number that was written, 0 too. */
function namedPools({
  sessionInterOpThreadPool,
}: ConfigProto): [name: string, threads: number, at: number][] {
  return sessionInterOpThreadPool
    .map(({ globalName, numThreads }, i): [string, number, number] => [globalName, numThreads, i])
    .filter(([name]) => name !== '');
}

function poolNamed(settled: readonly Settlement[], wanted: string) {
  for (const settlement of settled) {
    const found =
      settlement.deviceTypes.length > 0 && namedPools(settlement.config).find(([name]) => name === wanted);
    if (found) return { threads: found[1], settlement };
  }
  return undefined;
}

function poolConflicts(settled: readonly Settlement[], config: ConfigProto): Conflict[] {
  return namedPools(config).flatMap(([name, threads, at]) => {
    const first = poolNamed(settled, name);
    if (first === undefined || first.threads === threads) return [];
    const field = `sessionInterOpThreadPool[${at}].numThreads (of the pool "${name}")`;
    return [conflict(field, threads, first.threads, first.settlement, true)];
  });
}

/** Types of devices that the process has once for all sessions: GPUs, and what plug-ins bring. */
function acceleratorTypes(settled: readonly Settlement[]): string[] {
  const types = new Set(settled.flatMap(({ deviceTypes }) => deviceTypes));
  return [...types].filter((type) => !/^(CPU|TPU.*|XLA_.*)$/.test(type));
}

/** A device that the process has, and the session that brought it. */
interface Brought {
  number: DeviceNumber;
  settlement: Settlement;
}

/** Those of a type, by the number that sessions know them by. */
function broughtDevices(type: string, settled: readonly Settlement[]): Brought[] {
  const all: Brought[] = [];
  for (const settlement of settled) {
    const count = settlement.deviceTypes.filter((each) => each === type).length;
    const numbers = devicesOf(settlement.config, type, count).slice(0, count);
    for (const number of numbers.slice(all.length)) all.push({ number, settlement });
  }
  return all;
}

function deviceConflicts(
  type: string,
  settled: readonly Settlement[],
  config: ConfigProto,
  environment: Environment,
): Conflict[] {
  const message = optionsField(type);
  // Without a list all are meant; how many that are TensorFlow alone knows. The first is certain.
  const wanted = devicesOf(config, type, 1);
  const shared = broughtDevices(type, settled).slice(0, wanted.length);
  const found: Conflict[] = [];
  const moved = shared.find(({ number }, i) => number.physical !== wanted[i]!.physical);
  const lists = moved && [config, moved.settlement.config].map((each) => deviceOrder(each[message]));
  const isList = lists !== undefined && lists[0] !== lists[1];
  if (moved && isList) {
    found.push(conflict(`${message}.visibleDeviceList`, lists[0], lists[1], moved.settlement, true));
  }
  // Who asks for no virtual devices takes them as they are. They also move the devices that come after theirs.
  const split =
    shared.find(({ number }, i) => ![undefined, number.part].includes(wanted[i]!.part)) ??
    (isList ? undefined : moved);
  if (split !== undefined) {
    const [asked, inForce] = [config, split.settlement.config].map((each) => virtualDevices(each[message]));
    found.push(conflict(`${message}.experimental.virtualDevices`, asked, inForce, split.settlement, true));
  }
  return [...found, ...memoryConflicts(message, config[message], shared, environment)];
}

function memoryConflicts(
  message: ReturnType<typeof optionsField>,
  asked: GPUOptions | undefined,
  shared: readonly Brought[],
  environment: Environment,
): Conflict[] {
  if (asked === undefined) return [];
  const found: Conflict[] = [];
  const compare = (field: string, wanted: unknown, read: (options: GPUOptions | undefined) => unknown) => {
    // What is left out, 0, false or empty asks for nothing.
    if (!wanted) return;
    const other = shared.find(({ settlement }) => !same(read(settlement.config[message]), wanted));
    if (other === undefined) return;
    const { settlement } = other;
    found.push(conflict(`${message}.${field}`, wanted, read(settlement.config[message]), settlement));
  };
  for (const field of GPU_FIELDS) {
    if (field === 'allowGrowth' && environment.TF_FORCE_GPU_ALLOW_GROWTH) continue;
    compare(field, asked[field], (options) => options?.[field]);
  }
  for (const field of GPU_EXPERIMENTAL_FIELDS) {
    compare(
      `experimental.${field}`,
      asked.experimental?.[field],
      (options) => options?.experimental?.[field],
    );
  }
  return found;
}

/** `BFC` is the name of the default. */
function same(inForce: unknown, asked: unknown): boolean {
  return inForce === asked || (asked === 'BFC' && (inForce === undefined || inForce === ''));
}

/** What decides which devices a session has, CPUs aside. */
function reachOf({ deviceCount, gpuOptions, pluggableDeviceOptions }: ConfigProto): string {
  const counts = Object.entries(deviceCount).filter(([type]) => type !== 'CPU');
  return JSON.stringify([
    counts.sort(),
    gpuOptions?.visibleDeviceList || '',
    virtualDevices(gpuOptions),
    // A plug-in may have been loaded since; who speaks of its devices has one.
    pluggableDeviceOptions?.visibleDeviceList,
  ]);
}

function conflict(
  field: string,
  asked: unknown,
  inForce: unknown,
  { who }: Settlement,
  isRefused = false,
): Conflict {
  const byDefault = typeof asked === 'boolean' ? 'false' : "TensorFlow's default";
  return {
    field,
    asked: String(asked),
    inForce: inForce ? String(inForce) : byDefault,
    since: who,
    isRefused,
  };
}

function fromEnvironment(environment: Environment, name: string): number {
  const value = environment[name]?.trim() ?? '';
  return /^\d+$/.test(value) ? Number(value) : 0;
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(1|true)$/i.test(value);
}
