/** Devices that are asked for and that a session does not have. TensorFlow says nothing of them inside of functions. */
import { TensorFlowError } from '../errors.js';
import { remembered } from '../remember.js';
import { type Assignment, NO_RULE, RUN_DEVICE } from './assign.js';
import { deviceMatches, listDevices, onTask, shortDevice } from './device.js';
import type { NodeList } from './node-list.js';

interface Named {
  readonly name: string;
}

/** What a look for a node answers where there is none. */
const NO_NODE = -1;
/** Ops that a message names at most. */
const MOST = 5;

/**
 * A look-up: whether a session has the device that a request means.
 *
 * @param home The task of a cluster that is meant where a request names none.
 */
export function deviceLookup(devices: readonly Named[], home?: string): (requested: string) => boolean {
  return remembered((requested) => {
    const meant = onTask(requested, home);
    return requested === '' || devices.some(({ name }) => deviceMatches(meant, name));
  });
}

/**
 * Refuses what no device of the session can serve: what rules and the run ask for, and what the model has saved.
 *
 * @throws TensorFlowError INVALID_ARGUMENT naming ops, what there is, and the ways out
 */
export function checkDevices(
  nodes: NodeList,
  assignment: Assignment,
  devices: readonly Named[],
  clearDevices: boolean,
  home?: string,
): void {
  const has = deviceLookup(devices, home);
  for (const [rule, device] of [
    [RUN_DEVICE, assignment.runDevice ?? ''] as const,
    ...assignment.devices.entries(),
  ]) {
    const node = has(device) ? NO_NODE : assignment.rule.indexOf(rule);
    if (node === NO_NODE) continue;
    const ops: string[] = [];
    let count = 0;
    for (let i = node; i < nodes.length; i++) {
      if (assignment.device(i) === device && count++ < MOST) ops.push(opName(nodes, i));
    }
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `There is no device ${JSON.stringify(device)}, which was asked for ${listOps(ops, count)}. The session has ${listDevices(devices)}. ` +
        `With config.allowSoftPlacement TensorFlow puts such ops elsewhere, and the report says so.${ofWorkers(devices)}`,
      { op: ops[0]! },
    );
  }
  if (!clearDevices) checkSavedDevices(nodes, devices, (i) => assignment.rule[i] === NO_RULE, home);
}

/** The same for the devices that stand in the model alone. */
export function checkSavedDevices(
  nodes: NodeList,
  devices: readonly Named[],
  counts: (node: number) => boolean = () => true,
  home?: string,
): void {
  const has = deviceLookup(devices, home);
  const missing = new Set(nodes.savedDevices.filter((device) => !has(device)));
  if (missing.size === 0) return;
  const ops: string[] = [];
  const met = new Set<string>();
  let count = 0;
  for (let i = 0; i < nodes.length; i++) {
    // Functions that nothing calls are never placed.
    const isPlaced = nodes.function(i) === '' || nodes.isUsed(i) || nodes.isHousekeeping(i);
    if (!missing.has(nodes.device(i)) || !isPlaced || !counts(i)) continue;
    met.add(nodes.device(i));
    if (count++ < MOST) ops.push(opName(nodes, i));
  }
  if (count === 0) return;
  const names = [...met].map((device) => JSON.stringify(shortDevice(device))).join(', ');
  throw new TensorFlowError(
    'INVALID_ARGUMENT',
    `The model was saved with ${met.size === 1 ? 'a device' : 'devices'} that this session does not have: ${names}, of ${listOps(ops, count)}. ` +
      `The session has ${listDevices(devices)}. Load it with clearDevices: true, which forgets the saved devices, with config.allowSoftPlacement, or with rules of your own for these ops.`,
    { op: ops[0]! },
  );
}

/** Who has other devices than this process would. */
function ofWorkers(devices: readonly Named[]): string {
  const isElsewhere = devices.some(({ name }) => !name.startsWith('/job:localhost/'));
  return isElsewhere
    ? " How many devices a task has, the config of its own worker says, not the model's."
    : '';
}

/** An op in messages: its name, and the function in whose body it stands. */
export function opTitle({
  name,
  function: of,
}: {
  readonly name: string;
  readonly function: string;
}): string {
  return of === '' ? name : `${name} (in ${of})`;
}

function opName(nodes: NodeList, i: number): string {
  return opTitle({ name: nodes.name(i), function: nodes.function(i) });
}

function listOps(ops: readonly string[], count: number): string {
  const more = count > ops.length ? ` and ${count - ops.length} more` : '';
  return `${count === 1 ? 'the op' : `${count} ops:`} ${ops.join(', ')}${more}`;
}
