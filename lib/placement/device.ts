/** Device names, as TensorFlow reads them: `/CPU:1`, `/device:GPU:0`, `/job:worker/replica:0/task:1/device:GPU:0`. */
import { invalidOption } from '../options.js';
import { show } from '../show.js';

/** A device name in its parts; what is left out, or a `*`, means any. */
export interface DeviceSpec {
  readonly job: string | undefined;
  readonly replica: number | undefined;
  readonly task: number | undefined;
  /** `CPU`, `GPU`, … */
  readonly type: string | undefined;
  readonly index: number | undefined;
}

const PART =
  /\/(?:job:(?<job>[A-Za-z][A-Za-z0-9_]*|\*)|replica:(?<replica>\d+|\*)|task:(?<task>\d+|\*)|device:(?<type>[A-Za-z][A-Za-z0-9_]*|\*)(?::(?<index>\d+|\*))?|(?<short>cpu|CPU|gpu|GPU):(?<shortIndex>\d+|\*))/y;
const FULL = /^\/job:(\w+)\/replica:0\/task:(\d+)\/device:(.*)$/;
/** TensorFlow keeps numbers in an int. */
const LARGEST = 2 ** 31 - 1;

/** The parts, or undefined where the text is no device name. Of a part that is there twice, the last counts. */
function parse(text: string): DeviceSpec | undefined {
  const parts: Record<string, string | undefined> = {};
  if (text === '/') return toSpec(parts);
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const found = PART.exec(text)?.groups;
    if (found === undefined) return undefined;
    const { short, shortIndex, type = short?.toUpperCase(), index = shortIndex, ...machine } = found;
    for (const [key, value] of Object.entries(machine)) if (value !== undefined) parts[key] = value;
    if (type !== undefined) Object.assign(parts, { type, index });
  }
  // TensorFlow takes /cpu:0 for a name of its own, and /device:cpu:0 for a type that does not exist.
  if (/^(cpu|gpu|tpu)$/.test(parts.type ?? '')) return undefined;
  const spec = toSpec(parts);
  const isTooLarge = [spec.replica, spec.task, spec.index].some((number) => (number ?? 0) > LARGEST);
  return isTooLarge ? undefined : spec;
}

function toSpec({ job, replica, task, type, index }: Record<string, string | undefined>): DeviceSpec {
  const word = (value: string | undefined) => (value === '*' ? undefined : value);
  const number = (value: string | undefined) => (word(value) === undefined ? undefined : Number(value));
  return {
    job: word(job),
    replica: number(replica),
    task: number(task),
    type: word(type),
    index: number(index),
  };
}

/**
 * A device name's parts. `''`, no device at all, has none.
 *
 * @param where what error messages call it
 * @throws TensorFlowError INVALID_OPTION with the form that was meant, where that can be guessed
 */
export function parseDevice(text: unknown, where = 'device'): DeviceSpec {
  const spec = typeof text === 'string' ? parse(text) : undefined;
  if (spec !== undefined) return spec;
  throw invalidOption(
    `${where} must be a device such as "/CPU:0", "/device:GPU:1" or "/job:worker/task:1/device:GPU:0", not ${show(text)}.${guess(text)}`,
  );
}

/** What was meant, for the usual slips: no slash, no index, `/device:` in front of `cpu`, capitals elsewhere. */
function guess(text: unknown): string {
  if (typeof text !== 'string') return '';
  const found = /^(.*\/)?(device:)?([a-z][a-z_]*):?(\d+|\*)?$/i.exec(text.trim());
  if (found === null) return '';
  const [, machine = '/', form = '', type, index = '0'] = found;
  if (form === '' && !/pu$/i.test(type!)) return '';
  const prefix = form === '' && /^[cg]pu$/i.test(type!) ? '' : 'device:';
  const meant = `${machine.startsWith('/') ? '' : '/'}${machine}${prefix}${type!.toUpperCase()}:${index}`;
  return parse(meant) === undefined ? '' : ` Did you mean ${JSON.stringify(meant)}?`;
}

/** The one spelling of a device, which goes into a graph: `/cpu:1` -> `/device:CPU:1`. */
export function canonicalDevice(text: string): string {
  const { job, replica, task, type, index } = parseDevice(text);
  const parts = [
    ['job', job],
    ['replica', replica],
    ['task', task],
  ]
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `/${key}:${value}`);
  if (type !== undefined || index !== undefined) parts.push(`/device:${type ?? '*'}:${index ?? '*'}`);
  return parts.join('');
}

/** Whether a device, by its full name, is one of those that a request means. A request that cannot be read means none. */
export function deviceMatches(requested: string, actual: string): boolean {
  const want = parse(requested);
  const is = parse(actual);
  if (want === undefined || is === undefined) return false;
  return (['job', 'replica', 'task', 'type', 'index'] as const).every(
    (key) => want[key] === undefined || want[key] === is[key],
  );
}

/**
 * The device on this task of a cluster, where there is one, unless it names a task itself; the task for no device. What cannot be
 * read stays.
 */
export function onTask(device: string, task: string | undefined): string {
  if (task === undefined) return device;
  const spec = device === '' ? undefined : parse(device);
  if (device !== '' && (spec === undefined || spec.job !== undefined || spec.task !== undefined))
    return device;
  const { job, task: number } = parse(task)!;
  const rest = spec === undefined || (spec.type === undefined && spec.index === undefined);
  return `/job:${job}/replica:0/task:${number}${rest ? '' : `/device:${spec.type ?? '*'}:${spec.index ?? '*'}`}`;
}

/** A full name as one types it: `/CPU:0` or `/device:TPU:0` for this process, `/job:worker/task:1/CPU:0` for another. */
export function shortDevice(name: string): string {
  const found = FULL.exec(name);
  if (found === null) return name;
  const [, job, task, device] = found;
  const home = job === 'localhost' && task === '0' ? '' : `/job:${job}/task:${task}`;
  return `${home}/${/^[CG]PU:/.test(device!) ? '' : 'device:'}${device}`;
}

/** Whether two devices, by their full names, are of one process. */
export function isSameTask(a: string, b: string): boolean {
  const task = (name: string) => name.slice(0, name.indexOf('/device:'));
  return task(a) === task(b);
}

/** The type in a device's name, `GPU`, or `''`. */
export function deviceType(name: string): string {
  return parse(name)?.type ?? '';
}

/** What a session has, for messages: `/CPU:0, /CPU:1`. */
export function listDevices(devices: readonly { name: string }[]): string {
  return devices.map(({ name }) => shortDevice(name)).join(', ');
}
