/** Planning in a thread of its own. */
import { type ErrorCode, TensorFlowError } from '../errors.js';
import { Slices } from '../placement/slices.js';
import { startThread } from '../thread.js';
import type { Reading } from './freeze.js';
import { type Ask, type FreezeJob, type FreezePlan, plan } from './plan.js';

/** What the thread says: a question, or its last word. */
type Message = { reading: Reading } | { planned: FreezePlan | undefined };

/** As `plan` does, beside the event loop; the graph's bytes are not touched. */
export async function planAside(job: FreezeJob, ask: Ask): Promise<FreezePlan | undefined> {
  // This file is lib/freeze/plan-aside.ts, or in dist/bundle/.
  const program = new URL('../freeze/planner.js', import.meta.url);
  const own = { ...job, graphDef: await copyOf(job.graphDef) };
  const worker = startThread(program, own, [own.graphDef.buffer]);
  if (worker === undefined) return plan(job, ask);
  try {
    return await new Promise((resolve, reject) => {
      worker.on('error', (error) => reject(asOurs(error)));
      worker.on('exit', () => reject(failed('ABORTED', 'it was ended')));
      worker.on('message', (message: Message) => {
        if ('planned' in message) resolve(message.planned);
        else ask(message.reading).then((values) => worker.postMessage(values), reject);
      });
    });
  } finally {
    await worker.terminate();
  }
}

/** An error that has come from the thread as a plain one. */
function asOurs(error: Error & { code?: string }): TensorFlowError {
  if (error.name === 'TensorFlowError') return new TensorFlowError(error.code as ErrorCode, error.message);
  const code = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'RESOURCE_EXHAUSTED' : 'INTERNAL';
  return failed(code, error.message, error);
}

function failed(code: ErrorCode, reason: string, cause?: Error): TensorFlowError {
  const message = `freeze: the thread that plans it has failed: ${reason}. Load the model without freeze.`;
  return new TensorFlowError(code, message, { cause });
}

/** A copy that can be given away, made in pieces: graphs may be large. */
async function copyOf(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length);
  const slices = new Slices();
  const piece = 1 << 20;
  for (let at = 0; at < bytes.length; at += piece) {
    if (slices.isOver(0)) await slices.next();
    copy.set(bytes.subarray(at, at + piece), at);
  }
  return copy;
}
