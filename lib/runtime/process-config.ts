/** What of a ConfigProto this process has settled: told before TensorFlow ignores, or refuses, what a session asks for. */

import { type Conflict, findConflicts, type Settlement, settlesMore } from '../config/process.js';
import { type ConfigProto, decodeConfig } from '../config.js';
import { TensorFlowError } from '../errors.js';
import { addon } from './addon.js';

const NOTHING = new Uint8Array();

/** Warnings of this thread: each is told once. */
const told = new Set<string>();
const MOST_TOLD = 1000;

/**
 * To be called before a session is made in this process. What is still open is settled now, by an empty session, so that it
 * is known whose value counts, among all threads.
 *
 * @param config serialized, checked
 * @param who whose session it will be, for messages: the path of a model
 * @throws TensorFlowError (as a rejection) FAILED_PRECONDITION where TensorFlow would refuse the session or do what nobody knows; what
 *   TensorFlow says where no session can be made with this ConfigProto
 */
export async function settleConfig(config: Uint8Array | undefined, who: string): Promise<void> {
  const asked = decodeConfig(config ?? NOTHING);
  for (;;) {
    const settled = settlements();
    const conflicts = findConflicts(settled, asked, process.env);
    const refused = conflicts.filter(({ isRefused }) => isRefused);
    if (refused.length > 0) throw new TensorFlowError('FAILED_PRECONDITION', refusal(refused, who));
    // Another thread may have come first.
    const isDone =
      !settlesMore(settled, asked, process.env) || (await addon().settle(settled.length, config, who));
    if (isDone) return tell(conflicts, who);
  }
}

function settlements(): Settlement[] {
  return addon()
    .settlements()
    .map(({ config, ...rest }) => ({ ...rest, config: decoded(config) }));
}

/** By their place in the list, which only grows. */
const decodedConfigs = new Map<string, ConfigProto>();

function decoded(config: Uint8Array): ConfigProto {
  const key = Buffer.from(config).toString('latin1');
  let message = decodedConfigs.get(key);
  if (message === undefined) {
    message = decodeConfig(config);
    decodedConfigs.set(key, message);
  }
  return message;
}

const WAY_OUT =
  'Give all sessions of the process the same value, or load one of the models in a process of its own (node:child_process; ' +
  'worker threads are in the same process).';

function list(conflicts: readonly Conflict[]): string {
  return conflicts
    .map(
      ({ field, asked, inForce, since }) =>
        `config.${field} is ${inForce}, since ${since}; asked for: ${asked}`,
    )
    .join('. ');
}

function refusal(conflicts: readonly Conflict[], who: string): string {
  return `TensorFlow does not change this any more in a running process, so no session can be made for ${who}. ${list(conflicts)}. ${WAY_OUT}`;
}

function tell(conflicts: readonly Conflict[], who: string): void {
  if (conflicts.length === 0) return;
  const message =
    `TensorFlow settles some fields of config for the whole process by its first session, and ignores what ${who} asks for. ` +
    `${list(conflicts)}. ${WAY_OUT}`;
  if (told.has(message)) return;
  if (told.size < MOST_TOLD) told.add(message);
  process.emitWarning(message, { type: 'TensorFlowWarning', code: 'TF_SESSION_PROCESS_CONFIG' });
}
