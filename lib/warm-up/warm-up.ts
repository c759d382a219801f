/** Warm-up: the requests that a SavedModel brings along are run before anybody waits for it, as TensorFlow Serving does. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TensorFlowError } from '../errors.js';
import { counted } from '../format.js';
import { recordsOf } from '../records/records.js';
import { runCall } from '../run.js';
import { codeOf, fileError, localPath } from '../saved-model/directory.js';
import type { Signatures } from '../saved-model/signatures.js';
import type { Session } from '../session.js';
import { makePlan, toInputs } from '../signature-plan.js';
import { boundTo } from '../version-call.js';
import { type Logged, type Request, readPredictionLog } from './prediction-log.js';

/** TensorFlow Serving's limit. */
const MOST_RECORDS = 1000;

/**
 * Runs `assets.extra/tf_serving_warmup_requests` of a SavedModel on each of these sessions, one request after the other. Does
 * nothing where there is no such file, or TensorFlow alone could read it. Kinds of requests that are not known here are left
 * out, with a process warning.
 *
 * @throws TensorFlowError what a run of it throws, naming the record; DATA_LOSS for a damaged file; INVALID_ARGUMENT for more
 *   than 1,000 records, and for a record that is none
 */
export async function warmUp(
  directory: string,
  signatures: Signatures,
  sessions: readonly Session[],
): Promise<void> {
  const folder = localPath(directory);
  if (folder === undefined || sessions.length === 0) return;
  const path = join(folder, 'assets.extra', 'tf_serving_warmup_requests');
  const file = await readIfThere(path);
  if (file === undefined) return;
  const skipped = new Map<string, number>();
  let count = 0;
  for await (const record of recordsOf(file, path)) {
    if (++count > MOST_RECORDS) {
      throw new TensorFlowError(
        'INVALID_ARGUMENT',
        `${path} has more than ${MOST_RECORDS} records, the most that a warm-up may have. ${REMEDY}`,
      );
    }
    try {
      const { kind, requests } = read(record);
      if (requests === undefined) skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
      else for (const request of requests) await runOnAll(request, signatures, sessions);
    } catch (error) {
      if (!(error instanceof TensorFlowError)) throw error;
      const { code, message, op } = error;
      const text = `The warm-up failed at record ${count} of ${path}: ${message}\n${REMEDY}`;
      throw new TensorFlowError(code, text, { cause: error, op });
    }
  }
  if (skipped.size > 0) tellOf(skipped, path);
}

const REMEDY = 'Make that file anew, remove it, or load without it: warmUp: false.';

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw fileError(error, path);
  }
}

function read(record: Uint8Array): Logged {
  try {
    return readPredictionLog(record);
  } catch (error) {
    if (error instanceof TensorFlowError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new TensorFlowError(
      'INVALID_ARGUMENT',
      `it is no PredictionLog of TensorFlow Serving (${record.length} bytes): ${why}.`,
      { cause: error },
    );
  }
}

async function runOnAll(
  request: Request,
  signatures: Signatures,
  sessions: readonly Session[],
): Promise<void> {
  if (request.kind === 'session') {
    const { feeds, fetches, targets } = request;
    for (const session of sessions) await session.run(fetches, feeds, { targets });
    return;
  }
  const plan = makePlan(signatures, request.signature, request.outputs);
  const inputs = toInputs(plan, request.inputs);
  for (const session of sessions)
    await runCall(boundTo(session, plan, inputs), inputs, {}, false, () => undefined);
}

function tellOf(skipped: ReadonlyMap<string, number>, path: string): void {
  const list = [...skipped].map(([kind, count]) => `${counted(count, 'record')} of kind ${kind}`);
  process.emitWarning(`Left out of the warm-up, for they are not run here: ${list.join(', ')} in ${path}.`, {
    type: 'TensorFlowWarning',
    code: 'TF_SESSION_WARM_UP',
  });
}
